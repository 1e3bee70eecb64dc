import type { TestFn } from 'ava';
import anyTest from 'ava';
import type { Browser } from 'playwright-core';
import { everyKey, everyPerson, everyToken } from '../../ui/gallery/accessRows.ts';
import { fullFleet } from '../../ui/gallery/fullFleet.ts';
import { agentPlaces, type LookedAt } from './agentPlaces.ts';
import { agentRowOf, chooseForAgent } from './agentsPage.ts';
import { outputLine, wholeLife } from '../../ui/gallery/sessionRows.ts';
import { accessibilityProblems, openBrowser, openPage, SKIPS_BROWSER } from './browser.ts';
import { everyPhaseOf, someOf } from './shownFleets.ts';
import { buildDashboard, problem, startFakeGateway, type FakeGateway } from './fakeGateway.ts';

/** Every page and dialog in both colour schemes, on a wide and on a narrow screen: no barrier, no sideways scrolling. */

interface Shared {
  readonly browser: Browser | null;
  readonly full: FakeGateway;
  readonly small: FakeGateway;
  readonly empty: FakeGateway;
  readonly signedOut: FakeGateway;
  readonly viewer: FakeGateway;
  readonly first: FakeGateway;
  readonly remove: () => Promise<void>;
}

const test = anyTest as TestFn<Shared>;

/** Every place but those in files of their own. */
const PLACES: Readonly<Record<string, LookedAt>> = {
  ...agentPlaces,
  'the overview': { at: 'full', show: (page) => page.getByRole('heading', { name: 'Needs attention' }).waitFor() },
  'the empty overview': { at: 'empty', show: (page) => page.getByText('No agent has connected yet').waitFor() },
  'the agents': {
    at: 'full',
    path: '/#/agents',
    show: (page) => agentRowOf(page, 'gpu-03').waitFor(),
  },
  'the page of an agent': {
    at: 'full',
    path: '/#/agents/gpu-03',
    show: async (page) => {
      await page.getByRole('img', { name: 'Chart: CPU.' }).waitFor();
      await page.getByText('The same as a table').click();
      await page.getByText('It was approved, for zone default.').waitFor();
      await page.getByRole('list', { name: 'Images on it' }).waitFor();
    },
  },
  'the page of an agent that waits for approval': {
    at: 'small',
    path: '/#/agents/host-new',
    show: async (page) => {
      await page.getByRole('button', { name: 'Approve' }).waitFor();
      await page.getByRole('img', { name: 'Chart: CPU.' }).waitFor();
    },
  },
  'the page of an agent for a viewer': {
    at: 'viewer',
    path: '/#/agents/host-7',
    show: (page) => page.getByRole('img', { name: 'Chart: CPU.' }).waitFor(),
  },
  'the page of an agent that is not there': {
    at: 'small',
    path: '/#/agents/nobody',
    show: (page) => page.getByText('No agent has the id nobody').waitFor(),
  },
  'the sessions': {
    at: 'full',
    path: '/#/sessions',
    show: (page) => page.getByRole('table', { name: 'Sessions', exact: true }).waitFor(),
  },
  'the empty sessions': {
    at: 'empty',
    path: '/#/sessions',
    show: (page) => page.getByText('No session runs').waitFor(),
  },
  'the sessions, some of them selected': {
    at: 'small',
    path: '/#/sessions?phase=all',
    show: async (page) => {
      await page.getByRole('checkbox').first().click();
      await page.getByText('1 selected').waitFor();
    },
  },
  'the page of a session': {
    at: 'small',
    path: '/#/sessions/s-1000',
    show: async (page) => {
      await page.getByText('Started on host-1').waitFor();
      await page.getByText('step 12: loss').waitFor();
    },
  },
  'the page of a session, for a viewer': {
    at: 'viewer',
    path: '/#/sessions/s-1000',
    show: (page) => page.getByText('This needs the role operator').waitFor(),
  },
  'the question before many sessions are stopped': {
    at: 'small',
    path: '/#/sessions?phase=all',
    show: async (page) => {
      await page.getByRole('button', { name: 'Select all' }).click();
      await page.getByRole('button', { name: /^Stop \d+ sessions/ }).click();
      await page.getByText('what was not saved elsewhere').first().waitFor();
    },
  },
  'the images': {
    at: 'full',
    path: '/#/images',
    show: (page) => page.getByRole('button', { name: 'Define an image' }).waitFor(),
  },
  'the empty images': {
    at: 'empty',
    path: '/#/images',
    show: (page) => page.getByText('No image is defined yet').waitFor(),
  },
  'an address that leads nowhere': {
    at: 'small',
    path: '/#/elsewhere',
    show: (page) => page.getByText('This address leads nowhere').waitFor(),
  },
  'the signed-out page': { at: 'signedOut', show: (page) => page.getByText('npx muster sign-in').waitFor() },
  'the signed-out page of who is locked out': {
    at: 'signedOut',
    show: async (page) => {
      await page.getByRole('textbox', { name: 'Account' }).fill('anna');
      await page.getByLabel('Password').fill('not the password');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('Too many wrong passwords').waitFor();
    },
  },
  'the page to set a password': {
    at: 'signedOut',
    path: '/#set-password=anna.x',
    show: async (page) => {
      await page.getByRole('button', { name: 'Set password' }).click();
      await page.getByText('at least 12 characters; this one has 0').waitFor();
    },
  },
  'the page for the first account': { at: 'first', show: (page) => page.getByText('Make the first account').waitFor() },
  'the page of a viewer': { at: 'viewer', show: (page) => page.getByText('As a viewer you see everything').waitFor() },
  'the gallery': { at: 'empty', path: '/gallery.html', show: (page) => page.getByText('every tone').waitFor() },
  'the start dialog': {
    at: 'small',
    path: '/#/sessions',
    show: async (page) => {
      await page.getByRole('button', { name: 'Start a session' }).click();
      await page.getByText('Would go to gpu-02').waitFor();
    },
  },
  'the override dialog': {
    at: 'small',
    path: '/#/agents',
    show: (page) => chooseForAgent(page, 'host-7', 'Override'),
  },
  'the page of an image': {
    at: 'full',
    path: '/#/images/desktop',
    show: (page) => page.getByText('Fits on 2 of 3 agents now').waitFor(),
  },
  'the page of an image that is refused': {
    at: 'small',
    path: '/#/images/+',
    show: async (page) => {
      await page.getByRole('button', { name: 'Define image' }).click();
      await page.getByText('Give the image a name.').waitFor();
    },
  },
  'the page of an image of a viewer': {
    at: 'viewer',
    path: '/#/images/desktop',
    show: (page) => page.getByText('This needs the role admin; yours is viewer.').waitFor(),
  },
  'the question before an image is retired': {
    at: 'small',
    path: '/#/images/desktop',
    show: async (page) => {
      await page.getByRole('button', { name: 'Retire' }).click();
      await page.getByRole('list', { name: 'What this does' }).waitFor();
    },
  },
  'the stop dialog': {
    at: 'small',
    path: '/#/sessions',
    show: (page) =>
      page
        .getByRole('button', { name: /^Stop s-/ })
        .first()
        .click(),
  },
  'the table with a menu open': {
    at: 'small',
    path: '/#/agents?sort=-cpuUsed&attention=1',
    show: async (page) => {
      await page.getByRole('checkbox', { name: 'Select host-4' }).click();
      await page.getByRole('button', { name: 'Actions for host-4' }).click();
      await page.getByRole('menuitem', { name: 'Declare lost' }).waitFor();
    },
  },
  'the table with its columns to choose': {
    at: 'small',
    path: '/#/agents',
    show: (page) => page.locator('summary').click(),
  },
  'the table without any that is like that': {
    at: 'small',
    path: '/#/agents?q=nobody&zone=gone',
    show: (page) => page.getByText('No agent is like that').waitFor(),
  },
  'the preview before many are disabled': {
    at: 'full',
    path: '/#/agents',
    show: async (page) => {
      await page.getByRole('checkbox', { name: /^Select all/ }).click();
      await page.getByRole('button', { name: 'Disable', exact: true }).click();
      await page.getByText('It waits for approval.').waitFor();
    },
  },
  'the results after many were overridden': {
    at: 'full',
    path: '/#/agents',
    show: async (page) => {
      await page.getByRole('checkbox', { name: /^Select all/ }).click();
      await page.getByRole('button', { name: 'Override', exact: true }).click();
      await page.getByLabel('Memory').fill('64GiB');
      await page.getByRole('button', { name: /^Save for/ }).click();
      await page.getByRole('button', { name: 'Done' }).waitFor();
    },
  },
  'the lost dialog': {
    at: 'small',
    path: '/#/agents',
    show: (page) => chooseForAgent(page, 'host-4', 'Declare lost'),
  },
  'the revoke dialog': {
    at: 'small',
    path: '/#/agents',
    show: (page) => chooseForAgent(page, 'host-7', 'Revoke'),
  },
  'the remove dialog': {
    at: 'small',
    path: '/#/agents',
    show: (page) => chooseForAgent(page, 'host-new', 'Remove'),
  },
  'the account dialog': {
    at: 'small',
    show: async (page) => {
      await page.getByRole('button', { name: 'Account' }).click();
      await page.getByText('Safari on iOS for').waitFor();
    },
  },
  'the page for people and keys': {
    at: 'small',
    path: '/#/access',
    show: (page) => page.getByRole('button', { name: 'Revoke nightly jobs' }).waitFor(),
  },
  'the empty page for people and keys': {
    at: 'empty',
    path: '/#/access',
    show: (page) => page.getByText('No program has a key yet').waitFor(),
  },
  'the page for people and keys of a viewer': {
    at: 'viewer',
    path: '/#/access',
    show: (page) => page.getByText('This page is for admins').waitFor(),
  },
  'the dialog that adds a person': {
    at: 'small',
    path: '/#/access',
    show: async (page) => {
      await page.getByRole('button', { name: 'Add a person' }).click();
      await page.getByRole('button', { name: 'Add person' }).click();
      await page.getByText('Give a name.').waitFor();
    },
  },
  'the dialog with a link': {
    at: 'small',
    path: '/#/access',
    show: async (page) => {
      await page.getByRole('button', { name: 'New link for Ben Ng' }).click();
      await page.getByRole('button', { name: 'Make link' }).click();
      await page.getByText('It works once and ends').waitFor();
    },
  },
  'the role dialog': {
    at: 'small',
    path: '/#/access',
    show: (page) => page.getByRole('button', { name: 'Role of Ben Ng' }).click(),
  },
  'the question before a person is removed': {
    at: 'small',
    path: '/#/access',
    show: (page) => page.getByRole('button', { name: 'Remove Ben Ng' }).click(),
  },
  'the dialog with a key': {
    at: 'small',
    path: '/#/access',
    show: async (page) => {
      await page.getByRole('button', { name: 'Issue a key' }).click();
      await page.getByLabel('Name', { exact: true }).fill('backup');
      await page.getByLabel('Works for').selectOption('No end');
      await page.getByRole('button', { name: 'Issue key' }).click();
      await page.getByText('This is the only time').waitFor();
    },
  },
  'the dialog with a manager token': {
    at: 'small',
    path: '/#/access',
    show: async (page) => {
      await page.getByRole('button', { name: 'Issue a token' }).click();
      await page.getByRole('button', { name: 'Issue token' }).click();
      await page.getByText('This is the only time').waitFor();
    },
  },
};

/**
 * The specs of a file: every page and dialog on a screen of that width, in pixels. One file for each width, so that they are looked at side by
 * side.
 */
export function lookAtEveryPlace(width: number): void {
  test.before(async (t) => {
    const { folder, remove } = await buildDashboard();
    const full = await startFakeGateway(folder, everyPhaseOf(fullFleet(Date.now())));
    full.simulated = true;
    const small = await startFakeGateway(folder, someOf(fullFleet(Date.now())));
    small.passwords.set('admin', '');
    const times = { madeAt: new Date().toISOString(), seenAt: new Date().toISOString() };
    small.browsers = ['Firefox on Linux', 'Safari on iOS'].map((browser, index) => {
      return { sessionId: `b${index}`, browser, current: index === 0, madeAt: times.madeAt, seenAt: times.seenAt };
    });
    small.events = wholeLife(Date.now()).slice(0, 5);
    small.output = Array.from({ length: 12 }, (_, index) => outputLine(`step ${index + 1}: loss 0.${index}`));
    small.access.people = everyPerson(Date.now());
    small.access.keys = everyKey(Date.now());
    small.access.tokens = everyToken(Date.now());
    const signedOut = await startFakeGateway(folder);
    signedOut.signedIn = false;
    const wait = { retryAfterSeconds: 900 };
    signedOut.answers.set('POST /sign-in', {
      status: 429,
      body: problem(429, 'LOCKED_OUT', 'too many wrong passwords for this account', { numbers: wait }),
    });
    const viewer = await startFakeGateway(folder, someOf(fullFleet(Date.now())));
    viewer.role = 'viewer';
    const first = await startFakeGateway(folder);
    first.firstAccountNeeded = true;
    const browser = await openBrowser((text) => t.log(text));
    t.context = { browser, full, small, empty: await startFakeGateway(folder), signedOut, viewer, first, remove };
  });

  test.after.always(async (t) => {
    const { browser, full, small, empty, signedOut, viewer, first, remove } = t.context;
    await browser?.close();
    await Promise.all([full.close(), small.close(), empty.close(), signedOut.close(), viewer.close(), first.close()]);
    await remove();
  });

  for (const [name, { at, path, show }] of Object.entries(PLACES)) {
    const title = `${name} is accessible in light and dark colours, and fits, at ${width} pixels`;
    (SKIPS_BROWSER ? test.serial.skip : test.serial)(title, async (t) => {
      const { browser } = t.context;
      if (browser === null) {
        t.pass('no browser here: not checked');
        return;
      }
      const page = await openPage(t, browser, `${t.context[at].url}${path ?? ''}`, {
        viewport: { width, height: 900 },
      });
      await show(page, t.context[at]);
      t.deepEqual(await accessibilityProblems(page), []);
      await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
      t.deepEqual(await accessibilityProblems(page, ['color-contrast']), []);
      const beyond = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      t.is(beyond, 0, 'it scrolls sideways');
    });
  }
}
