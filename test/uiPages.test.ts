import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { agentRow, imageRow, pendingAgentRow, secondsBefore, sessionRow } from '../ui/gallery/fixtures.ts';
import { focused } from './support/accessPage.ts';
import { agentRowOf } from './support/agentsPage.ts';
import { dashboardSpecs, type WithGateway } from './support/dashboard.ts';
import { until } from './support/until.ts';

/** The pages and their addresses, in a real browser: navigation, back, focus, titles, and what leads nowhere. */

const HEARD_NOW = { lastCheckInAt: secondsBefore(0, Date.now()) };
const MANY = Array.from({ length: 40 }, (_, index) =>
  agentRow({ ...HEARD_NOW, agentId: `many-${index}`, hostname: `many-${index}` }),
);
const FLEET = {
  agents: [agentRow({ ...HEARD_NOW, agentId: 'a-1' }), pendingAgentRow(HEARD_NOW), ...MANY],
  images: [imageRow()],
  sessions: [sessionRow()],
};

const specs = dashboardSpecs();

function withGateway(title: string, check: (t: ExecutionContext, opened: WithGateway) => Promise<void>): void {
  specs.withGateway(title, { fleet: FLEET }, check);
}

const hashOf = (page: Page): string => new URL(page.url()).hash;
const scrolled = (page: Page): Promise<number> => page.evaluate(() => globalThis.scrollY);

withGateway('each page has an address, a title and a place in the navigation', async (t, { open }) => {
  const page = await open();
  const pages = page.getByRole('navigation', { name: 'Pages' });
  await pages.waitFor();
  t.deepEqual(await pages.getByRole('link').allInnerTexts(), ['Overview', 'Agents', 'Sessions', 'Images', 'Access']);
  t.is(await page.title(), 'Muster');
  for (const [name, hash] of [
    ['Agents', '#/agents'],
    ['Sessions', '#/sessions'],
    ['Images', '#/images'],
    ['Access', '#/access'],
    ['Overview', '#/'],
  ] as const) {
    await pages.getByRole('link', { name }).click();
    await pages.locator('[aria-current=page]', { hasText: name }).waitFor();
    t.is(hashOf(page), hash);
    t.is(await page.title(), name === 'Overview' ? 'Muster' : `${name} – Muster`);
    t.is(await page.evaluate(() => document.querySelector('mu-app')?.shadowRoot?.activeElement?.localName), 'main');
  }
});

withGateway('a link goes to one thing, by its name in the title, and back to where one was', async (t, { open }) => {
  const page = await open('/#/agents');
  await agentRowOf(page, 'many-0').waitFor();
  await page.evaluate(() => globalThis.scrollTo(0, 700));
  await page.evaluate(() => (globalThis.location.hash = '#/agents/a-1'));
  await page.getByRole('heading', { name: 'host-1' }).waitFor();
  t.is(await page.title(), 'host-1 – Agents – Muster');
  await until(
    'the top',
    () => scrolled(page),
    (top) => top === 0,
  );
  await page.goBack();
  await until(
    'where it was left',
    () => scrolled(page),
    (top) => top === 700,
  );
  t.is(await focused(page), 'Agents', 'reading goes on in the page');
  await page.goForward();
  await page.getByRole('link', { name: 'All agents' }).click();
  await agentRowOf(page, 'many-0').waitFor();
  await until(
    'the top of what is visited anew',
    () => scrolled(page),
    (top) => top === 0,
  );
});

withGateway('an address or an id that leads nowhere says so, with a way on', async (t, { open }) => {
  const page = await open('/#/elsewhere');
  await page.getByRole('heading', { name: 'No such page' }).waitFor();
  t.is(await page.title(), 'No such page – Muster');
  await page.getByRole('link', { name: 'Go to Overview' }).click();
  await page.getByRole('heading', { name: 'Needs attention' }).waitFor();
  for (const [hash, words, onward] of [
    ['#/agents/nobody', 'No agent has the id nobody', 'Go to Agents'],
    ['#/sessions/s-none', 'No session that is known has the id s-none', 'Go to Sessions'],
    ['#/images/none', 'No image has the id none', 'Go to Images'],
  ] as const) {
    await page.evaluate((to) => (globalThis.location.hash = to), hash);
    await page.getByText(words).waitFor();
    t.is(await page.getByRole('link', { name: onward }).getAttribute('href'), hash.replace(/\/[^/]*$/, ''));
  }
});

withGateway('the address of the fleet from before leads to the overview', async (t, { open }) => {
  const page = await open('/#/fleet');
  await page.getByRole('heading', { name: 'Needs attention' }).waitFor();
  t.is(hashOf(page), '#/');
});

withGateway('a session is started from an image, and the address forgets it afterwards', async (t, { open }) => {
  const page = await open('/#/images');
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByText('Would go to gpu-02').waitFor();
  t.is(hashOf(page), '#/sessions?start=desktop');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await until(
    'an address without it',
    async () => hashOf(page),
    (hash) => hash === '#/sessions',
  );
  t.pass();
});

for (const width of [1440, 1280, 1024, 760]) {
  specs.withPage(
    `the head of the page says each thing in one line at ${width} pixels`,
    {
      fleet: { ...FLEET, sessions: [sessionRow(), sessionRow({ sessionId: 's-waits', phase: 'waiting' })] },
      prepare: (gateway) => {
        gateway.account = 'Administrator of this machine';
      },
      width,
    },
    async (t, { page }) => {
      await page.getByText('agents online, 1 session running, 1 waiting').waitFor();
      const lines = await page.locator('header :is(h1, nav, .summary, .who)').evaluateAll((parts) =>
        parts.map((part) => {
          const { height } = part.getBoundingClientRect();
          return [
            part.className || part.localName,
            Math.round(height / Number.parseFloat(getComputedStyle(part).lineHeight)),
          ];
        }),
      );
      t.deepEqual(
        lines.map(([name]) => name),
        ['h1', 'nav', 'summary', 'who'],
      );
      t.true(
        lines.every(([, count]) => Number(count) <= 1),
        JSON.stringify(lines),
      );
    },
  );
}
