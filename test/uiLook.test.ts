import type { TestFn } from 'ava';
import anyTest from 'ava';
import type { Browser, Page } from 'playwright-core';
import type { LiveSnapshot } from '../ui/data/fleet.ts';
import { partitionedZoneRow } from '../ui/gallery/fixtures.ts';
import { fullFleet } from '../ui/gallery/fullFleet.ts';
import { accessibilityProblems, openBrowser, openPage, SKIPS_BROWSER } from './support/browser.ts';
import { buildDashboard, startFakeGateway, type FakeGateway } from './support/fakeGateway.ts';

/** Every page and dialog in both colour schemes, on a wide and on a narrow screen: no barrier, no sideways scrolling. */

interface Shared {
  readonly browser: Browser | null;
  readonly full: FakeGateway;
  readonly small: FakeGateway;
  readonly empty: FakeGateway;
  readonly signedOut: FakeGateway;
  readonly remove: () => Promise<void>;
}

const test = anyTest as TestFn<Shared>;

test.before(async (t) => {
  const { folder, remove } = await buildDashboard();
  const full = await startFakeGateway(folder, everyPhaseOf(fullFleet(Date.now())));
  full.simulated = true;
  const small = await startFakeGateway(folder, someOf(fullFleet(Date.now())));
  const signedOut = await startFakeGateway(folder);
  signedOut.signedIn = false;
  const browser = await openBrowser((text) => t.log(text));
  t.context = { browser, full, small, empty: await startFakeGateway(folder), signedOut, remove };
});

test.after.always(async (t) => {
  const { browser, full, small, empty, signedOut, remove } = t.context;
  await browser?.close();
  await Promise.all([full.close(), small.close(), empty.close(), signedOut.close()]);
  await remove();
});

/** What is looked at: where it is, and what to do until it shows. */
const PLACES: Readonly<
  Record<
    string,
    {
      readonly at: 'full' | 'small' | 'empty' | 'signedOut';
      readonly path?: string;
      readonly show: (page: Page) => Promise<void>;
    }
  >
> = {
  'the full page': { at: 'full', show: (page) => page.getByRole('article', { name: 'gpu-03' }).waitFor() },
  'the empty page': { at: 'empty', show: (page) => page.getByText('No image is defined yet').waitFor() },
  'the signed-out page': { at: 'signedOut', show: (page) => page.getByText('npx muster sign-in').waitFor() },
  'the gallery': { at: 'empty', path: '/gallery.html', show: (page) => page.getByText('every tone').waitFor() },
  'the start dialog': {
    at: 'small',
    show: async (page) => {
      await page.getByRole('button', { name: 'Start a session' }).click();
      await page.getByText('Would go to gpu-02').waitFor();
    },
  },
  'the override dialog': {
    at: 'small',
    show: (page) =>
      page.getByRole('group', { name: 'Actions for host-7' }).getByRole('button', { name: 'Override' }).click(),
  },
  'the image dialog': {
    at: 'small',
    show: async (page) => {
      await page.getByRole('button', { name: 'Define an image' }).click();
      await page.getByText('Ports, GPU model').click();
    },
  },
  'the stop dialog': {
    at: 'small',
    show: (page) =>
      page
        .getByRole('button', { name: /^Stop s-/ })
        .first()
        .click(),
  },
  'the lost dialog': {
    at: 'small',
    show: (page) => page.getByRole('button', { name: 'Declare lost' }).click(),
  },
  'the history dialog': {
    at: 'small',
    show: async (page) => {
      await page.getByRole('group', { name: 'Actions for host-7' }).getByRole('button', { name: 'History' }).click();
      await page.getByText('The same as a table').click();
    },
  },
};

for (const [name, { at, path, show }] of Object.entries(PLACES)) {
  for (const width of [1440, 390]) {
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
      await show(page);
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

/** Every agent and every banner, and enough sessions to have each phase: the rest is more of the same, and axe is slow. */
function everyPhaseOf(fleet: LiveSnapshot): LiveSnapshot {
  return { ...fleet, sessions: fleet.sessions.slice(0, 10), zones: [partitionedZoneRow()] };
}

/** Dialogs are looked at before a small fleet: what stands behind them is looked at elsewhere. */
function someOf(fleet: LiveSnapshot): LiveSnapshot {
  const agents = fleet.agents.filter((agent) => ['gpu-02', 'host-4', 'host-7'].includes(agent.agentId));
  return { ...fleet, agents, sessions: fleet.sessions.slice(0, 3) };
}
