import type { Page } from 'playwright-core';
import test, { type ExecutionContext } from 'ava';
import { accessibilityProblems, openBrowser, openPage, SKIPS_BROWSER } from './support/browser.ts';
import { startGateway, type ProblemBody } from './support/gateway.ts';

/** Who may come in, as an admin decides it in the browser, on the real gateway. */

const PASSWORD = 'a password for the tests';

async function textIn(page: Page, label: string): Promise<string> {
  return page.locator('mu-dialog').getByLabel(label, { exact: true }).inputValue();
}

async function setPassword(page: Page): Promise<void> {
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByLabel('Password again').fill(PASSWORD);
  await page.getByRole('button', { name: 'Set password' }).click();
}

async function confirm(page: Page, button: string, reason?: string): Promise<void> {
  if (reason !== undefined) await page.getByLabel('Reason').fill(reason);
  await page.getByRole('button', { name: button }).click();
  await page.locator('mu-dialog').waitFor({ state: 'detached' });
}

const title =
  'an admin adds a person, who comes by the link and goes when removed; a key works until it is revoked, and the last manager token goes by force';

async function check(t: ExecutionContext): Promise<void> {
  const browser = await openBrowser((text) => t.log(text));
  if (browser === null) {
    t.pass('no browser here: not checked');
    return;
  }
  t.teardown(() => browser.close());
  const muster = await startGateway(t);
  const admin = await openPage(t, browser, muster.gateway.signInUrl ?? muster.url);
  await admin.getByRole('button', { name: 'Not now' }).click();
  await admin.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Access' }).click();
  await admin.getByText('Nobody has an account yet').waitFor();
  await admin.getByRole('button', { name: 'Add a person' }).click();
  await admin.getByLabel('Name', { exact: true }).fill('Ben Ng');
  await admin.getByRole('textbox', { name: 'Account' }).fill('ben');
  await admin.getByRole('radio', { name: /^operator/ }).check();
  await admin.getByRole('button', { name: 'Add person' }).click();
  await admin.getByText('Ben Ng is added').waitFor();
  const link = await textIn(admin, 'Sign-in link');
  await admin.getByRole('button', { name: 'Done' }).click();
  await admin.getByText('Invited: link not used yet').waitFor();

  const ben = await openPage(t, browser, link);
  await setPassword(ben);
  await ben.getByText('Signed in as Ben Ng (operator)').waitFor();
  const used = await openPage(t, browser, link);
  await setPassword(used);
  await used.getByText('SIGN_IN_LINK_INVALID').waitFor();

  await admin.evaluate(() => globalThis.dispatchEvent(new Event('focus')));
  await admin.getByText('ago, in 1 browser').waitFor();
  t.deepEqual(await accessibilityProblems(admin), []);
  await admin.getByRole('button', { name: 'Issue a key' }).click();
  await admin.getByLabel('Name', { exact: true }).fill('nightly jobs');
  await admin.getByRole('button', { name: 'Issue key' }).click();
  await admin.getByText('This is the only time it is shown.').waitFor();
  const key = await textIn(admin, 'Access key');
  await admin.getByRole('button', { name: 'Done' }).click();
  const ask = () => fetch(`${muster.url}/api/v1/me`, { headers: { authorization: `Bearer ${key}` } });
  t.like(await (await ask()).json(), { name: 'nightly jobs', role: 'viewer' });
  await admin.getByRole('button', { name: 'Revoke nightly jobs' }).click();
  await confirm(admin, 'Revoke key', 'it was in a log');
  await admin.getByText('No program has a key yet').waitFor();
  t.is(((await (await ask()).json()) as ProblemBody).code, 'KEY_WRONG');

  await admin.getByRole('button', { name: 'Issue a token' }).click();
  await admin.getByRole('button', { name: 'Issue token' }).click();
  await admin.getByText('This is the only time it is shown.').waitFor();
  t.regex(await textIn(admin, 'Manager token'), /^mt_[a-z2-7]{12}_[\w-]{43}$/);
  await admin.getByRole('button', { name: 'Done' }).click();
  await admin.getByRole('button', { name: /^Revoke manager token/ }).click();
  await confirm(admin, 'Revoke the last one', 'it was for a test');
  await admin.getByText('No host can join yet').waitFor();

  await admin.getByRole('button', { name: 'Remove Ben Ng' }).click();
  await confirm(admin, 'Remove person');
  await admin.getByText('Nobody has an account yet').waitFor();
  await ben.getByText('Your session has ended; sign in again').waitFor();
  const events = await muster.events('?log=fleet&limit=1000');
  t.like(
    events.find(({ type }) => type === 'AccessKeyRevoked'),
    { reason: 'it was in a log' },
  );
}

(SKIPS_BROWSER ? test.serial.skip : test.serial)(title, check);
