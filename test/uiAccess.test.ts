import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { agentRow, imageRow, pendingAgentRow, secondsBefore, sessionRow } from '../ui/gallery/fixtures.ts';
import { readable } from './support/browser.ts';
import { dashboardSpecs, type WithGateway } from './support/dashboard.ts';
import { problem } from './support/fakeGateway.ts';

/** Signing in, and what a role does to the page, in a real browser. */

const HEARD_NOW = { lastCheckInAt: secondsBefore(0, Date.now()) };
const FLEET = {
  agents: [agentRow(HEARD_NOW), pendingAgentRow(HEARD_NOW)],
  images: [imageRow()],
  sessions: [sessionRow()],
};

const specs = dashboardSpecs();

function withGateway(title: string, check: (t: ExecutionContext, opened: WithGateway) => Promise<void>): void {
  specs.withGateway(title, { fleet: FLEET }, check);
}

async function signIn(page: Page, account: string, password: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Account' }).fill(account);
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
}

/** The element that has the focus, inside shadow roots too. */
function focusedId(page: Page): Promise<string> {
  return page.evaluate(() => {
    let active = document.activeElement;
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    return active?.id ?? '';
  });
}

withGateway(
  'people sign in by account and password; what is wrong stands where it is',
  async (t, { gateway, open }) => {
    gateway.signedIn = false;
    gateway.account = 'anna';
    gateway.passwords.set('anna', 'a good password');
    const page = await open();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Type your account.').waitFor();
    t.is(await focusedId(page), 'account');
    await signIn(page, 'anna', 'not it');
    await page.getByText('Account or password is wrong.').waitFor();
    t.is(await focusedId(page), 'password');
    t.is(await page.getByLabel('Password').getAttribute('aria-invalid'), 'true');
    await signIn(page, 'anna', 'a good password');
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    await page.getByText('Signed in as anna (admin)').waitFor();
    t.deepEqual(gateway.sentTo('POST', '/sign-in').at(-1), { account: 'anna', password: 'a good password' });
    t.is(new URL(page.url()).search, '');
  },
);

withGateway('who is locked out is told for how long, and nothing is sent meanwhile', async (t, { gateway, open }) => {
  gateway.signedIn = false;
  const detail = 'too many wrong passwords for this account; try again in 2 s, or use a sign-in link';
  const locked = problem(429, 'LOCKED_OUT', detail, { numbers: { retryAfterSeconds: 2 } });
  gateway.answers.set('POST /sign-in', { status: 429, body: locked });
  const page = await open();
  await signIn(page, 'anna', 'not it');
  await page.getByText(/Try again in [12] s\./).waitFor();
  t.is(await page.getByRole('button', { name: 'Sign in' }).getAttribute('aria-disabled'), 'true');
  await page.keyboard.press('Enter');
  t.is(gateway.sentTo('POST', '/sign-in').length, 1);
  gateway.answers.clear();
  gateway.passwords.set('anna', 'a good password');
  await page.getByText(/Try again in/).waitFor({ state: 'detached' });
  await signIn(page, 'anna', 'a good password');
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
});

withGateway(
  'a link to set a password leaves the address at once, and is judged before it is used',
  async (t, { gateway, open }) => {
    gateway.signedIn = false;
    gateway.tokens.add('anna.secret');
    const page = await open('/#set-password=anna.secret');
    await page.getByText('Your account is anna.').waitFor();
    t.is(new URL(page.url()).hash, '');
    const fill = async (password: string, again: string) => {
      await page.getByLabel('Password', { exact: true }).fill(password);
      await page.getByLabel('Password again').fill(again);
      await page.getByRole('button', { name: 'Set password' }).click();
    };
    await fill('short', 'short');
    await page.getByText('A password has at least 12 characters; this one has 5.').waitFor();
    await fill('annaannaanna', 'annaannaanna');
    await page.getByText('A password must not be the name of who it belongs to.').waitFor();
    await fill('a good password', 'a good passwort');
    await page.getByText('This is not the same as above.').waitFor();
    t.deepEqual(gateway.sentTo('POST', '/set-password'), []);
    gateway.answers.set('POST /set-password', {
      status: 400,
      body: problem(400, 'PASSWORD_REFUSED', 'no', { errors: [{ path: 'password', message: 'this one is known' }] }),
    });
    await fill('a good password', 'a good password');
    await page.getByText('This one is known.').waitFor();
    t.is(await focusedId(page), 'password');
    gateway.answers.clear();
    await fill('a good password', 'a good password');
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  },
);

withGateway(
  'a link that was used says so, and another one can be opened in the same page',
  async (t, { gateway, open }) => {
    gateway.signedIn = false;
    const page = await open('/#set-password=anna.used');
    await page.getByLabel('Password', { exact: true }).fill('a good password');
    await page.getByLabel('Password again').fill('a good password');
    await page.keyboard.press('Enter');
    await page.getByText('This link was used before. SIGN_IN_LINK_INVALID').waitFor();
    gateway.tokens.add('one-time');
    await page.evaluate(() => {
      location.hash = '#sign-in=one-time';
    });
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    t.pass();
  },
);

withGateway('who comes by the first link makes the first account', async (t, { gateway, open }) => {
  gateway.firstAccountNeeded = true;
  const page = await open();
  await page.getByText('Make the first account').waitFor();
  await page.getByRole('button', { name: 'Make account' }).click();
  await page.getByText('An account is small letters').waitFor();
  await page.getByRole('textbox', { name: 'Account' }).fill('admin');
  await page.getByLabel('Your name').fill('Anna Smith');
  await page.getByLabel('Password', { exact: true }).fill('a good password');
  await page.getByLabel('Password again').fill('a good password');
  await page.getByRole('button', { name: 'Make account' }).click();
  await page.getByText('This one belongs to the machine').waitFor();
  await page.getByRole('textbox', { name: 'Account' }).fill('anna');
  gateway.answers.set('POST /first-account', {
    status: 400,
    body: problem(400, 'NAME_IS_ADDRESS', 'the name looks like an e-mail address'),
  });
  await page.getByRole('button', { name: 'Make account' }).click();
  await page.getByText('NAME_IS_ADDRESS').waitFor();
  gateway.answers.clear();
  await page.getByRole('button', { name: 'Make account' }).click();
  await page.getByText('Signed in as anna (admin)').waitFor();
  t.deepEqual(gateway.sentTo('POST', '/first-account').at(-1), {
    personId: 'anna',
    name: 'Anna Smith',
    password: 'a good password',
  });
});

withGateway('whoever would rather look around first is not asked again in this tab', async (t, { gateway, open }) => {
  gateway.firstAccountNeeded = true;
  const page = await open();
  await page.getByRole('button', { name: 'Not now' }).click();
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  await page.reload();
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  t.is(await page.getByText('Make the first account').count(), 0);
});

withGateway('a demonstration asks for no account', async (t, { gateway, open }) => {
  gateway.firstAccountNeeded = true;
  gateway.simulated = true;
  const page = await open();
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  t.is(await page.getByText('Make the first account').count(), 0);
});

/** What the menus of the agents offer. */
async function menus(page: Page): Promise<readonly string[]> {
  const found: string[] = [];
  for (const hostname of ['host-1', 'host-new']) {
    await page.getByRole('button', { name: `Actions for ${hostname}` }).click();
    await page.getByRole('menuitem').first().waitFor();
    const items = await page
      .getByRole('menuitem')
      .evaluateAll((all) =>
        all.map((item) => `${(item.textContent ?? '').trim()}: ${item.getAttribute('title') ?? 'yes'}`),
      );
    found.push(...items.map((item) => `${hostname} ${item}`));
    await page.keyboard.press('Escape');
  }
  return found;
}

/** Each control of the fleet's pages, with whether it can be used, and why not. */
async function controls(page: Page): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of ['Agents', 'Sessions', 'Images']) {
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).click();
    await page.locator('main').getByRole('heading', { name }).waitFor();
    const here = await page
      .locator(name === 'Agents' ? 'mu-agent-row button:not(.tick, .opens), .many button' : 'main button')
      .evaluateAll((buttons) =>
        buttons.map(
          (button) =>
            `${(button.textContent ?? '').trim()}: ${button.matches(':disabled') ? (button.getAttribute('title') ?? 'no reason') : 'yes'}`,
        ),
      );
    found.push(...here, ...(name === 'Agents' ? await menus(page) : []));
  }
  return found.map((line) => readable(line)).toSorted();
}

withGateway(
  'what a role does not allow is not offered, with the reason; an admin is offered all',
  async (t, { gateway, open }) => {
    const no = (role: string, held: string) => `This needs the role ${role}; yours is ${held}.`;
    const table = (operator: string, admin: string) =>
      [
        `Approve host-new: ${admin}`,
        ...['Disable', 'Enable', 'Override'].map(
          (name) => `${name}: ${operator === 'yes' ? 'Select agents first.' : operator}`,
        ),
        `host-1 Override: ${operator}`,
        'host-1 History: yes',
        `host-1 Revoke: ${admin}`,
        `host-new Approve: ${admin}`,
        `host-new Remove: ${admin}`,
        `host-new Revoke: ${admin}`,
        `Define an image: ${admin}`,
        `Edit Desktop: ${admin}`,
        `Enabled host-1: ${operator}`,
        `Retire Desktop: ${admin}`,
        // Of the sessions in the list, to stop several at once.
        ...(operator === 'yes' ? ['Select it: yes'] : []),
        `Start Desktop: ${operator}`,
        `Start a session: ${operator}`,
        `Stop s-7f3k2q: ${operator}`,
        'Why is s-7f3k2q there: yes',
      ].toSorted();
    gateway.role = 'viewer';
    t.deepEqual(await controls(await open()), table(no('operator', 'viewer'), no('admin', 'viewer')));
    gateway.role = 'operator';
    t.deepEqual(await controls(await open()), table('yes', no('admin', 'operator')));
    gateway.role = 'admin';
    t.deepEqual(await controls(await open()), table('yes', 'yes'));
  },
);

withGateway('another role shows without a reload, and the end of a session is said', async (t, { gateway, open }) => {
  const page = await open('/#/sessions');
  await page.getByRole('button', { name: 'Start a session', disabled: false }).waitFor();
  gateway.role = 'viewer';
  gateway.cutLive();
  await page.getByRole('button', { name: 'Start a session', disabled: true }).waitFor();
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByText('As a viewer you see everything and change nothing.').waitFor();
  gateway.signedIn = false;
  gateway.cutLive();
  await page.getByText('Your session has ended; sign in again.').waitFor();
  t.is(await page.getByRole('navigation', { name: 'Pages' }).count(), 0);
});

const browser = (sessionId: string, name: string, current = false) => ({
  sessionId,
  browser: name,
  madeAt: secondsBefore(7200, Date.now()),
  seenAt: secondsBefore(240, Date.now()),
  current,
});

withGateway('people change their password and see where they are signed in', async (t, { gateway, open }) => {
  gateway.account = 'anna';
  gateway.passwords.set('anna', 'a good password');
  gateway.browsers = [browser('b1', 'Firefox on Linux', true), browser('b2', 'Safari on iOS')];
  const page = await open();
  await page.getByRole('button', { name: 'Account' }).click();
  const dialog = page.locator('mu-account-dialog');
  await dialog.getByText('Firefox on Linux for 2 h, seen 4 min ago').waitFor();
  await dialog.getByText('this one').waitFor();
  await dialog.getByLabel('Password so far').fill('a wrong one');
  await dialog.getByLabel('New password', { exact: true }).fill('another good password');
  await dialog.getByLabel('New password again').fill('another good password');
  gateway.answers.set('PUT /me/password', {
    status: 400,
    body: problem(400, 'PASSWORD_REFUSED', 'no', {
      errors: [{ path: 'current', message: 'this is not the password so far' }],
    }),
  });
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await dialog.getByText('This is not the password so far.').waitFor();
  t.is(await focusedId(page), 'current');
  gateway.answers.clear();
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('Your password is changed').waitFor();
  t.is(await dialog.getByLabel('Password so far').inputValue(), '');
  await dialog.getByRole('button', { name: 'Sign out of Safari on iOS' }).click();
  await dialog.getByText('Safari on iOS for').waitFor({ state: 'detached' });
  await dialog.getByRole('button', { name: 'Sign out everywhere' }).click();
  await page.getByText('Sign in to Muster').waitFor();
});

withGateway('who came by the link of the machine has no password to change', async (t, { gateway, open }) => {
  gateway.browsers = [browser('b1', 'Firefox on Linux', true)];
  const page = await open();
  await page.getByRole('button', { name: 'Account' }).click();
  await page.locator('mu-account-dialog').getByText('Firefox on Linux').waitFor();
  t.is(await page.getByLabel('Password so far').count(), 0);
});
