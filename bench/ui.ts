import { gzipSync } from 'node:zlib';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { runCommand } from '../infra/tools/command.ts';
import { openBrowser } from '../test/support/browser.ts';
import { ADMIN_KEY } from '../test/support/gateway.ts';
import { until } from '../test/support/until.ts';
import { checkInsCounted } from './checkIns.ts';
import { startFleet } from './fleet.ts';
import { startGatewayProcess, type GatewayProcess } from './gatewayProcess.ts';
import { startReferenceNats } from './loadedBus.ts';
import { REFERENCE, type ReferenceOptions } from './referenceLog.ts';
import { median, quantile, row, type Report, type Row } from './report.ts';

const LARGE = { agents: 10_000, sessions: 1_000, events: 40_000 } as const;
const DIST = join(import.meta.dirname, '../ui/dist');
const PAINTS_PER_RUN = 3;
const CHANGES_PER_RUN = 100;
/** Agents that are changed in turn; all of them are on the screen. */
const CHANGED = 8;
const SCROLL_MS = 8_000;
/** A wheel that is turned fast: one notch with each frame. */
const NOTCH_PX = 120;
const FRAME_MS = 16;
const VIEW = { width: 1440, height: 900 };
/** What each figure must not pass. */
const LIMITS = { scriptKb: 75, paintMs: 1_000, screenMs: 250 } as const;

/**
 * The dashboard of a real gateway in a real browser, with all agents checking in every ten seconds. Beside each figure stands the limit
 * that it must not pass; there is none for scrolling. A browser without a graphics card draws with the processor.
 */
export async function benchUi(options: UiOptions): Promise<Report> {
  await build();
  const browser = await openBrowser((text) => process.stderr.write(`${text}\n`));
  if (browser === null) return { rows: [], notes: ['ui: there is no browser here'] };
  try {
    const small = await withFleet(REFERENCE, (gateway) => livePage(browser, gateway, options));
    const large = await withFleet(LARGE, (gateway) => largePage(browser, gateway, options.runs));
    return {
      rows: [await scripts(), ...small, ...large],
      notes: [
        'ui: raw is the limit, not a measurement; browser, gateway, bus and agents are on the same cores, and drawing is done by the processor',
        'commit to screen: from the request, which the page makes beside the dashboard, until the row is drawn; each waits for nearly a whole turn of the live stream',
      ],
    };
  } finally {
    await browser.close();
  }
}

interface UiOptions {
  readonly runs: number;
  readonly minutes: number;
}

async function build(): Promise<void> {
  const built = await runCommand(process.execPath, ['ui/build.mjs'], { timeoutMs: 120_000 });
  if (built.code !== 0) throw new Error(`the dashboard does not build: ${built.stderr}`);
}

/** What a browser loads before it shows anything: the scripts that the document names, and those that they import at once. */
async function scripts(): Promise<Row> {
  const html = await readFile(join(DIST, 'index.html'), 'utf8');
  const names = [...html.matchAll(/(?:src|href)="\/assets\/([^"]+\.js)"/g)].map(([, name]) => name ?? '');
  const present = new Set(await readdir(join(DIST, 'assets')));
  const sizes = await Promise.all(
    names
      .filter((name) => present.has(name))
      .map(async (name) => gzipSync(await readFile(join(DIST, 'assets', name))).length),
  );
  return row(
    'first-load JavaScript, gzipped',
    'kB',
    sizes.reduce((sum, size) => sum + size, 0) / 1000,
    LIMITS.scriptKb,
  );
}

async function withFleet<Result>(
  size: ReferenceOptions,
  measure: (gateway: GatewayProcess) => Promise<Result>,
): Promise<Result> {
  const nats = await startReferenceNats(size);
  const gateway = await startGatewayProcess(nats);
  const fleet = await startFleet(nats, size.agents, 'waits');
  try {
    await until(
      'as many check-ins as agents',
      () => checkInsCounted(gateway.rest),
      (count) => count >= size.agents,
    );
    return await measure(gateway);
  } finally {
    await fleet.stop();
    await gateway.stop();
    await nats.stop();
  }
}

async function openAgents(browser: Browser, { rest }: GatewayProcess): Promise<Page> {
  const context = await browser.newContext({
    viewport: VIEW,
    extraHTTPHeaders: { authorization: `Bearer ${ADMIN_KEY}` },
  });
  await context.addInitScript(() => sessionStorage.setItem('muster-first-account-later', 'true'));
  const page = await context.newPage();
  await page.goto(`${rest.url}/#/agents`);
  await page.getByRole('row', { name: /^host-00001/ }).waitFor({ timeout: 60_000 });
  return page;
}

async function livePage(
  browser: Browser,
  gateway: GatewayProcess,
  { runs, minutes }: UiOptions,
): Promise<readonly Row[]> {
  const [paints, delays]: [number[], (readonly number[])[]] = [[], []];
  for (let run = 0; run < runs; run += 1) {
    for (let count = 0; count < PAINTS_PER_RUN; count += 1) paints.push(await firstPaint(browser, gateway));
    const page = await openAgents(browser, gateway);
    await commitToScreen(page, CHANGED * 2);
    delays.push(await commitToScreen(page, CHANGES_PER_RUN));
    await page.context().close();
  }
  const at = (share: number) => median(delays.map((each) => quantile(each, share)));
  const agents = REFERENCE.agents.toLocaleString('en');
  return [
    row('first contentful paint', 'ms', median(paints), LIMITS.paintMs),
    row(`commit to screen, ${agents} agents checking in, p50`, 'ms', at(0.5), LIMITS.screenMs),
    row(`commit to screen, ${agents} agents checking in, p99`, 'ms', at(0.99), LIMITS.screenMs),
    ...(await heapThrough(browser, gateway, minutes)),
  ];
}

/** What an open page holds at first, and after so many minutes of live changes. */
async function heapThrough(browser: Browser, gateway: GatewayProcess, minutes: number): Promise<readonly Row[]> {
  const page = await openAgents(browser, gateway);
  await commitToScreen(page, CHANGED * 2);
  const begin = await heapOf(page);
  await page.waitForTimeout(minutes * 60_000);
  await commitToScreen(page, CHANGES_PER_RUN);
  const end = await heapOf(page);
  await page.context().close();
  return [
    row(
      `JavaScript heap of the page, ${REFERENCE.agents.toLocaleString('en')} agents checking in`,
      'MB',
      begin / 1e6,
      null,
    ),
    row(`  after ${minutes} minutes of that`, 'MB', end / 1e6, null),
  ];
}

/** Bytes that are alive after a collection. */
async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize;
}

async function firstPaint(browser: Browser, gateway: GatewayProcess): Promise<number> {
  const page = await openAgents(browser, gateway);
  const ms = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
  );
  await page.context().close();
  return ms;
}

/** One change after another, as somebody else makes them; the page hears of each by its live stream alone. */
async function commitToScreen(page: Page, changes: number): Promise<readonly number[]> {
  return await page.evaluate(
    async ({ changes: count, agents }) => {
      const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
      const rows = (): readonly Element[] => {
        const view = document.querySelector('mu-app')?.shadowRoot?.querySelector('mu-agents-view');
        const table = view?.shadowRoot?.querySelector('mu-agent-table');
        return [...(table?.shadowRoot?.querySelectorAll('mu-agent-row') ?? [])];
      };
      const delays: number[] = [];
      for (let change = 0; change < count; change += 1) {
        const number = String((change % agents) + 1).padStart(5, '0');
        const said = () =>
          rows()
            .find((each) => each.getAttribute('aria-label')?.startsWith(`host-${number}`))
            ?.getAttribute('aria-label') ?? '';
        const disables = !said().includes('disabled');
        const begun = performance.now();
        const answer = fetch(`/api/v1/agents/host-${number}/${disables ? 'disable' : 'enable'}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{}',
        });
        while (said().includes('disabled') !== disables) {
          await frame();
          if (performance.now() - begun > 10_000) throw new Error(`host-${number} does not change: ${said()}`);
        }
        // Drawn with the frame whose callbacks run now.
        await frame();
        delays.push(performance.now() - begun);
        const { ok, status } = await answer;
        if (!ok) throw new Error(`changing host-${number} was answered by ${status}`);
      }
      return delays;
    },
    { changes, agents: CHANGED },
  );
}

async function largePage(browser: Browser, gateway: GatewayProcess, runs: number): Promise<readonly Row[]> {
  const [arrivals, still, scrolled]: [number[], (readonly number[])[], (readonly number[])[]] = [[], [], []];
  for (let run = 0; run < runs; run += 1) {
    const begun = performance.now();
    const page = await openAgents(browser, gateway);
    await page.getByText(`${LARGE.agents.toLocaleString('en')} agents`, { exact: true }).waitFor({ timeout: 60_000 });
    arrivals.push(performance.now() - begun);
    still.push(await frames(page, () => page.waitForTimeout(SCROLL_MS / 4)));
    await page.mouse.move(VIEW.width / 2, VIEW.height / 2);
    scrolled.push(
      await frames(page, async () => {
        const end = performance.now() + SCROLL_MS;
        while (performance.now() < end) {
          await page.mouse.wheel(0, NOTCH_PX);
          await page.waitForTimeout(FRAME_MS);
        }
      }),
    );
    await page.context().close();
  }
  const at = (samples: readonly (readonly number[])[], share: number) =>
    median(samples.map((each) => quantile(each, share)));
  const agents = LARGE.agents.toLocaleString('en');
  return [
    row(`${agents} agents all there, from the opening of the page`, 'ms', median(arrivals), null),
    row(`frame while ${agents} agents check in, p99`, 'ms', at(still, 0.99), null),
    row(`frame while scrolling through them, p50`, 'ms', at(scrolled, 0.5), null),
    row(`frame while scrolling through them, p99`, 'ms', at(scrolled, 0.99), null),
  ];
}

/** The times between frames while something goes on, in ms. */
async function frames(page: Page, work: () => Promise<void>): Promise<readonly number[]> {
  await page.evaluate(() => {
    const times: number[] = [];
    Object.assign(globalThis, { frameTimes: times });
    const note = (at: number): void => {
      times.push(at);
      requestAnimationFrame(note);
    };
    requestAnimationFrame(note);
  });
  await work();
  const times = await page.evaluate((): readonly number[] => Reflect.get(globalThis, 'frameTimes'));
  return times.slice(1).map((at, index) => at - (times[index] ?? at));
}
