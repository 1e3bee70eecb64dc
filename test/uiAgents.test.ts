import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import type { AgentView } from '../projections/views.ts';
import { agentRow, GIB, gpuAgentRow, pendingAgentRow, secondsBefore } from '../ui/gallery/fixtures.ts';
import { agentRowOf, countDrawn, drawnSince } from './support/agentsPage.ts';
import { accessibilityProblems, readable } from './support/browser.ts';
import { dashboardSpecs, type WithPage } from './support/dashboard.ts';
import { problem } from './support/fakeGateway.ts';
import { until } from './support/until.ts';

/** The table of agents in a real browser: 10,000 rows, found, ordered, chosen with mouse and keyboard, and many at once. */

function host(number: number, change: Partial<AgentView> = {}): AgentView {
  const name = `host-${String(number).padStart(5, '0')}`;
  return agentRow({ agentId: name, hostname: name, lastCheckInAt: secondsBefore(0, Date.now()), ...change });
}

const MANY = Array.from({ length: 10_000 }, (_, index) => host(index));
const FEW = [
  host(1, { zone: 'lab', sessions: 7 }),
  host(2, { intent: 'disabled', sessions: 0 }),
  host(3, { connectivity: 'missing', sentence: 'Missing: it has stopped checking in.' }),
  pendingAgentRow({ lastCheckInAt: secondsBefore(0, Date.now()) }),
];

/** In both dimensions. */
const OVER = {
  allocated: { millicores: 7000, memoryBytes: 16 * GIB, gpus: 0 },
  capacity: { millicores: 4000, memoryBytes: 12 * GIB, gpus: 0 },
};

const { withPage } = dashboardSpecs();

function withTable(
  title: string,
  agents: readonly AgentView[],
  check: (t: ExecutionContext, opened: WithPage) => Promise<void>,
  { query = '', width = 1440 } = {},
): void {
  withPage(title, { fleet: { agents }, path: `/#/agents${query}`, width }, async (t, opened) => {
    await opened.page.getByRole('grid', { name: 'Agents' }).waitFor();
    await check(t, opened);
  });
}

const hostnames = async (page: Page): Promise<readonly string[]> =>
  page.locator('mu-agent-row .name a').allInnerTexts();

const shownAre = (page: Page, names: readonly string[]): Promise<unknown> =>
  until(
    names.join(', '),
    () => hostnames(page),
    (now) => now.join() === names.join(),
  );

/** The agent of the row that has the focus, or null. */
const focusedAgent = (page: Page): Promise<string | null> =>
  page.evaluate(() => {
    let active = document.activeElement;
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    return active?.localName === 'mu-agent-row' ? (active.getAttribute('aria-label')?.split(':')[0] ?? null) : null;
  });

async function untilFocused(page: Page, agentId: string): Promise<void> {
  await until(
    `the focus on ${agentId}`,
    () => focusedAgent(page),
    (focused) => focused === agentId,
  );
}

withTable(
  'of 10,000 agents only those on screen are drawn, each with its number, wherever one scrolls',
  MANY,
  async (t, { page }) => {
    const grid = page.getByRole('grid', { name: 'Agents' });
    t.is(await grid.getAttribute('aria-rowcount'), '10001');
    t.is(await agentRowOf(page, 'host-00000').getAttribute('aria-rowindex'), '2');
    t.true((await page.locator('mu-agent-row').count()) < 40);
    await page.evaluate(() => globalThis.scrollTo(0, document.documentElement.scrollHeight / 2));
    await until(
      'the middle',
      () => hostnames(page),
      (names) => names.some((name) => name.startsWith('host-049') || name.startsWith('host-050')),
    );
    const numbers = await page
      .locator('mu-agent-row')
      .evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('aria-rowindex'))));
    t.deepEqual(
      numbers,
      numbers.map((_, index) => (numbers[0] ?? 0) + index),
      'in the order in which they are read',
    );
    await page.evaluate(() => globalThis.scrollTo(0, document.documentElement.scrollHeight));
    await agentRowOf(page, 'host-09999').waitFor();
    t.true((await page.locator('mu-agent-row').count()) < 40);
  },
);

withTable('while one scrolls a row that stays is not drawn again', MANY, async (t, { page }) => {
  const drawn = await page.evaluate(async () => {
    const count = { scrolled: 0, again: 0 };
    const row: unknown = customElements.get('mu-agent-row')?.prototype;
    const updated: unknown = Reflect.get(Object(row), 'updated');
    if (typeof updated !== 'function') throw new Error('a row has no updated');
    Reflect.set(Object(row), 'updated', function note(this: Element, changed: ReadonlyMap<string, unknown>) {
      updated.call(this, changed);
      if (changed.has('top')) count.scrolled += 1;
      else if (!changed.has('now') && !changed.has('agent') && !changed.has('current')) count.again += 1;
    });
    for (let turn = 0; turn < 1000 && count.scrolled < 20; turn += 1) {
      globalThis.scrollBy(0, 120);
      await new Promise((resolve) => requestAnimationFrame(resolve));
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    return count;
  });
  t.true(drawn.scrolled >= 20, 'rows have come');
  t.is(drawn.again, 0);
});

withTable('a patch draws the row that it changes, and no other more than once a second', MANY, async (t, opened) => {
  const { gateway, page } = opened;
  await countDrawn(page);
  for (let patch = 0; patch < 40; patch += 1) {
    gateway.patch({ agents: [host(1, { sentence: `Told ${patch}.` })] });
    await page.getByRole('row', { name: `host-00001: Told ${patch}.` }).waitFor();
  }
  const { others, rows, seconds } = await drawnSince(page);
  t.true(others <= rows * (seconds + 2), `${others} times in ${seconds.toFixed(1)} s, of ${rows} rows`);
});

withTable('the keyboard goes through all rows, selects ranges and all, and opens one', MANY, async (t, { page }) => {
  await agentRowOf(page, 'host-00000').focus();
  await page.keyboard.press('ArrowDown');
  await untilFocused(page, 'host-00001');
  await page.keyboard.press('End');
  await untilFocused(page, 'host-09999');
  await page.keyboard.press('PageUp');
  await untilFocused(page, 'host-09989');
  t.true(await agentRowOf(page, 'host-09989').isVisible());
  await page.keyboard.press('Space');
  for (let count = 0; count < 3; count += 1) await page.keyboard.press('Shift+ArrowDown');
  await page.getByText('4 selected').waitFor();
  await page.keyboard.press('Control+a');
  await page.getByText('10,000 selected').waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('10,000 agents', { exact: true }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await page.getByText('1 selected').waitFor();
  await page.keyboard.press('Escape');
  await untilFocused(page, 'host-09992');
  await page.evaluate(() => globalThis.scrollTo(0, 0));
  await until(
    'no row with a focus that was meant for another',
    () => focusedAgent(page),
    (focused) => focused === null,
  );
  await page.keyboard.press('ArrowDown');
  await untilFocused(page, 'host-09993');
  await page.keyboard.press('Enter');
  await until(
    'its page',
    async () => new URL(page.url()).hash,
    (hash) => hash === '#/agents/host-09993',
  );
});

withTable(
  'rows are live, and a row whose agent went leaves at once',
  MANY.slice(0, 50),
  async (t, { gateway, page }) => {
    gateway.patch({ agents: [host(3, { sentence: 'It was told something new.' })] });
    await agentRowOf(page, 'host-00003').getByText('It was told something new.').waitFor();
    await agentRowOf(page, 'host-00003').hover();
    gateway.patch({ removedAgents: ['host-00003'] });
    await agentRowOf(page, 'host-00003').waitFor({ state: 'detached' });
    gateway.patch({ agents: [agentRow({ agentId: 'aaa', hostname: 'aaa' })] });
    await agentRowOf(page, 'aaa').waitFor();
    t.is((await hostnames(page))[0], 'aaa');
  },
);

withTable('filters and order stand in the address, and an address shows the same again', FEW, async (t, { page }) => {
  const shown = (...names: readonly string[]) => shownAre(page, names);
  await page.getByLabel('State').selectOption('Disabled');
  await shown('host-00002');
  await page.getByLabel('State').selectOption('Any');
  await page.getByRole('checkbox', { name: 'Needs attention' }).check();
  await shown('host-00003', 'host-new');
  await page.getByRole('columnheader', { name: 'Agent', exact: true }).getByRole('button').click();
  await shown('host-new', 'host-00003');
  t.is(new URL(page.url()).hash, '#/agents?attention=1&sort=-name');
  await page.reload();
  await shown('host-new', 'host-00003');
  t.is(await page.getByRole('columnheader', { name: 'Agent', exact: true }).getAttribute('aria-sort'), 'descending');
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.getByLabel('Find').fill('lab');
  await shown('host-00001');
  await page.getByLabel('Find').fill('nobody');
  await page.getByText('No agent is like that.').waitFor();
  await page.getByRole('button', { name: 'Show all 4' }).click();
  await page.getByLabel('Sort by').selectOption('Sessions');
  t.is((await hostnames(page)).length, 4);
});

withTable('columns are chosen, and chosen still after a reload', FEW, async (t, { page }) => {
  await page.getByRole('columnheader', { name: 'RAM' }).waitFor();
  await page.locator('summary').click();
  await page.getByRole('checkbox', { name: 'RAM' }).uncheck();
  await page.getByRole('columnheader', { name: 'RAM' }).waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  t.is(await page.getByRole('checkbox', { name: 'RAM' }).count(), 0);
  await page.reload();
  await page.getByRole('columnheader', { name: 'CPU' }).waitFor();
  t.is(await page.getByRole('columnheader', { name: 'RAM' }).count(), 0);
});

const LABELLED = [
  host(1, { labels: { gpu: 'l40', rack: 'b-7' } }),
  host(2, { labels: { gpu: 'l40', 'example.org/a-pool-with-a-long-name': 'and-a-long-value', rack: 'c', spot: '' } }),
  host(3, { labels: { gpu: 'l4' } }),
  host(4),
];

for (const width of [1440, 390]) {
  withTable(
    `labels are a column that may be chosen, and each of them finds its agents, at ${width} px`,
    LABELLED,
    async (t, { page }) => {
      t.is(await page.getByRole('button', { name: 'gpu=l40' }).count(), 0);
      await page.locator('summary').click();
      await page.getByRole('checkbox', { name: 'Labels' }).check();
      await page.keyboard.press('Escape');
      await agentRowOf(page, 'host-00002').getByText('and 2 more').waitFor();
      t.deepEqual(await accessibilityProblems(page), []);
      await agentRowOf(page, 'host-00002').getByRole('button', { name: 'gpu=l40' }).click();
      await shownAre(page, ['host-00001', 'host-00002']);
      t.is(new URL(page.url()).hash, '#/agents?q=gpu%3Dl40');
      await page.getByLabel('Find').fill('gpu=l40 rack=c');
      await shownAre(page, ['host-00002']);
      await page.reload();
      await shownAre(page, ['host-00002']);
      t.is(await page.getByLabel('Find').inputValue(), 'gpu=l40 rack=c');
      t.deepEqual(await accessibilityProblems(page), []);
    },
    { width },
  );
}

withTable(
  'a click selects one, with Shift all between, and what a filter hides stays selected',
  MANY,
  async (t, { page }) => {
    await page.getByRole('checkbox', { name: 'Select host-00002' }).click();
    await page.getByRole('checkbox', { name: 'Select host-00005' }).click({ modifiers: ['Shift'] });
    await page.getByText('4 selected').waitFor();
    await agentRowOf(page, 'host-00007')
      .getByText('allocated')
      .first()
      .click({ modifiers: ['Shift'] });
    await page.getByText('6 selected').waitFor();
    t.is(await agentRowOf(page, 'host-00006').getAttribute('aria-selected'), 'true');
    await page.getByLabel('Find').fill('host-0000');
    await page.getByRole('checkbox', { name: 'Select all 10 agents shown' }).click();
    await page.getByText('10 selected').waitFor();
    await page.getByLabel('Find').fill('host-00001');
    await page.getByText('10 selected, 9 of them not shown').waitFor();
  },
);

withTable(
  'many are disabled after a preview, and what is refused is told per agent',
  FEW,
  async (t, { gateway, page }) => {
    gateway.answers.set('POST /agents/host-00003/disable', {
      status: 503,
      body: problem(503, 'UNAVAILABLE', 'The log cannot be written.'),
    });
    await page.getByRole('checkbox', { name: /^Select all/ }).click();
    await page.getByRole('button', { name: 'Disable', exact: true }).click();
    await page.getByRole('dialog', { name: 'Disable 4 agents' }).waitFor();
    const dialog = page.locator('mu-bulk-dialog');
    const lines = async (list: string) =>
      (await dialog.getByRole('list', { name: list }).getByRole('listitem').allInnerTexts()).map(readable);
    t.deepEqual(await lines('What happens to 2 agents'), [
      'host-00001 It takes nothing new. Its 7 sessions stay untouched.',
      'host-00003 It takes nothing new. Its 2 sessions stay untouched.',
    ]);
    t.deepEqual(await lines('Skipped: 2 agents'), [
      'host-00002 It is disabled already.',
      'host-new It waits for approval.',
    ]);
    t.is(gateway.sent.length, 0, 'nothing is sent for a preview');
    await dialog.getByLabel('Reason').fill('new disks');
    await dialog.getByRole('button', { name: 'Disable 2 agents' }).click();
    await dialog.getByText('1 agent is disabled, 1 refused, 2 skipped.').waitFor();
    await dialog.getByText('The log cannot be written.').waitFor();
    t.deepEqual(await lines('Refused'), ['host-00003 The log cannot be written. UNAVAILABLE']);
    t.deepEqual(await lines('Done'), ['host-00001 Done.']);
    t.deepEqual(gateway.sentTo('POST', '/agents/host-00001/disable'), [{ reason: 'new disks' }]);
    gateway.answers.clear();
    await dialog.getByRole('button', { name: 'Try 1 agent again' }).click();
    await dialog.getByText('1 agent is disabled, 2 skipped.').waitFor();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await dialog.waitFor({ state: 'detached' });
    await agentRowOf(page, 'host-00003').getByRole('switch', { checked: false }).waitFor();
  },
);

withTable(
  'many are overridden, each by its own measure, and an unusual value only when it is meant',
  FEW,
  async (t, { gateway, page }) => {
    await page.getByRole('checkbox', { name: /^Select all/ }).click();
    await page.getByRole('button', { name: 'Override', exact: true }).click();
    const dialog = page.locator('mu-bulk-dialog');
    await dialog.getByText('No value is given.').first().waitFor();
    t.true(await dialog.getByRole('button', { name: 'Save for 0 agents' }).isDisabled());
    await dialog.getByLabel('CPU cores').fill('120');
    await dialog.getByText('Unusual, and not confirmed. CPU: 120 cores, x20.0 of 6 cores.').first().waitFor();
    await dialog.getByRole('checkbox', { name: 'For 3 agents' }).check();
    await dialog.getByRole('button', { name: 'Save for 3 agents' }).click();
    await dialog.getByText('3 agents are saved, 1 skipped.').waitFor();
    t.deepEqual(gateway.sentTo('PATCH', '/agents/host-00001'), [{ coresOverride: '120', confirm: true }]);
  },
);

withTable(
  'below 720 pixels there are cards with the same, and nothing scrolls sideways',
  MANY,
  async (t, { page }) => {
    const card = agentRowOf(page, 'host-00001');
    await card.getByText('CPU 5 / 12 allocated (42 %)').waitFor();
    await card.getByRole('switch', { name: 'Enabled' }).waitFor();
    t.is(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
    const beyond = await card.evaluate((row) => row.scrollHeight - row.clientHeight);
    t.is(beyond, 0, 'a card holds all that stands in it');
    await page.evaluate(() => globalThis.scrollTo(0, document.documentElement.scrollHeight));
    await agentRowOf(page, 'host-09999').waitFor();
  },
  { width: 390 },
);

withTable(
  'a card is as high as what stands on it, with GPUs, without, over-allocated, and before its first check-in',
  [...FEW, gpuAgentRow({ lastCheckInAt: secondsBefore(0, Date.now()) }), host(5, OVER)],
  async (t, { page }) => {
    await page.getByText('GPU 1 / 2 allocated').waitFor();
    const below = await page.locator('mu-agent-row').evaluateAll((rows) =>
      rows.map((row) => {
        const cells = [...(row.shadowRoot?.querySelectorAll('[role=gridcell]') ?? [])];
        const lowest = Math.max(...cells.map((cell) => cell.getBoundingClientRect().bottom));
        return Math.round(row.getBoundingClientRect().bottom - lowest);
      }),
    );
    t.is(below.length, 6);
    t.true(
      below.every((pixels) => pixels >= 0 && pixels < 20),
      `pixels below the last line of each card: ${below.join(', ')}`,
    );
    const spilled = await page
      .locator('mu-agent-row .bar')
      .evaluateAll((cells) => cells.map((cell) => cell.scrollHeight - cell.clientHeight));
    t.true(
      spilled.every((pixels) => pixels <= 0),
      `pixels of each bar on what stands below it: ${spilled.join(', ')}`,
    );
  },
  { width: 390 },
);

withTable(
  'on a narrow screen a patch looks at the cards that it changes and that are drawn, and not at all 10,000',
  MANY,
  async (t, { gateway, page }) => {
    await page.evaluate(() => {
      const view = document.querySelector('mu-app')?.shadowRoot?.querySelector('mu-agents-view');
      const table = view?.shadowRoot?.querySelector('mu-agent-table');
      const agents: Map<string, unknown> = Reflect.get(table ?? {}, 'agents');
      const get = agents.get.bind(agents);
      const counted = { count: 0 };
      agents.get = (agentId: string) => {
        counted.count += 1;
        return get(agentId);
      };
      Object.assign(globalThis, { counted });
    });
    gateway.patch({ agents: [host(1, { sentence: 'Told anew.' })] });
    await page.getByRole('row', { name: 'host-00001: Told anew.' }).waitFor();
    const looked = await page.evaluate((): number => Reflect.get(globalThis, 'counted').count);
    t.true(looked < 200, `it looked at ${looked} agents`);
  },
  { width: 390 },
);
