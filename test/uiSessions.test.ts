import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import type { LiveSnapshot } from '../ui/data/fleet.ts';
import { agentRow, imageRow, secondsBefore, sessionRow, trainingImageRow } from '../ui/gallery/fixtures.ts';
import { outputLine, wholeLife } from '../ui/gallery/sessionRows.ts';
import { dashboardSpecs, type WithGateway } from './support/dashboard.ts';
import { problem } from './support/fakeGateway.ts';
import { until } from './support/until.ts';

/** The pages of sessions in a real browser, against a gateway with canned answers. */

const specs = dashboardSpecs();

function withGateway(
  title: string,
  fleet: Partial<LiveSnapshot>,
  check: (t: ExecutionContext, opened: WithGateway) => Promise<void>,
): void {
  specs.withGateway(title, { fleet }, check);
}

const IMAGES = [imageRow(), trainingImageRow()];
const SESSIONS = [
  sessionRow({ sessionId: 's-1', requestedAt: secondsBefore(10, Date.now()) }),
  sessionRow({ sessionId: 's-2', imageId: 'training', requestedBy: { kind: 'operator', id: 'ben' } }),
  sessionRow({ sessionId: 's-3', phase: 'waiting', agentId: null, claim: null, sentence: 'Waiting for a place.' }),
  sessionRow({
    sessionId: 's-4',
    phase: 'ended',
    sentence: 'Ended: an operator stopped it.',
    endedAt: secondsBefore(5),
  }),
];
const FLEET = { agents: [agentRow()], images: IMAGES, sessions: SESSIONS };

const ids = (page: Page): Promise<readonly string[]> => page.locator('mu-sessions .id').allInnerTexts();
const becomes = (page: Page, wanted: readonly string[]) =>
  until(
    'the rows',
    () => ids(page),
    (shown) => JSON.stringify([...shown].toSorted()) === JSON.stringify(wanted),
  );

withGateway('sessions are filtered, and a link shows the same', FLEET, async (t, { open }) => {
  const page = await open('/#/sessions');
  await becomes(page, ['s-1', 's-2', 's-3']);
  await page.getByLabel('Image', { exact: true }).selectOption('Training job');
  await becomes(page, ['s-2']);
  t.is(new URL(page.url()).hash, '#/sessions?image=training');
  await page.getByLabel('Requested by').fill('anna');
  await page.getByText('No session is like that').waitFor();
  await page.getByRole('link', { name: 'Show all that are live' }).click();
  await becomes(page, ['s-1', 's-2', 's-3']);
  await page.getByLabel('Phase').selectOption('Over');
  await becomes(page, ['s-4']);
  const linked = await open('/#/sessions?phase=all&agent=host-1');
  await becomes(linked, ['s-1', 's-2', 's-4']);
  t.is(await linked.getByLabel('Phase').inputValue(), 'all');
  t.is(await linked.getByLabel('Agent', { exact: true }).inputValue(), 'host-1');
});

withGateway('a session leads to its agent', FLEET, async (t, { open }) => {
  const page = await open('/#/sessions');
  await page.getByRole('row').filter({ hasText: 's-1' }).getByRole('link', { name: 'host-1', exact: true }).click();
  await page.getByRole('link', { name: 'All agents' }).waitFor();
  t.is(new URL(page.url()).hash, '#/agents/host-1');
});

withGateway(
  'the page of a session is as wide as a narrow screen, also while its output is below it',
  FLEET,
  async (t, { gateway, open }) => {
    gateway.events = wholeLife(Date.now()).slice(0, 5);
    gateway.output = Array.from({ length: 300 }, (_, index) => outputLine(`step ${index}: ${'x'.repeat(index)}`));
    const page = await open('/#/sessions/s-1', { viewport: { width: 390, height: 300 } });
    await page.getByText('step 12:').first().waitFor({ state: 'attached' });
    t.is(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  },
);

const MANY = Array.from({ length: 10_000 }, (_, index) =>
  sessionRow({ sessionId: `s-${index}`, requestedAt: secondsBefore(index, Date.now()) }),
);

withGateway('ten thousand sessions come in pages, live', { ...FLEET, sessions: MANY }, async (t, { gateway, open }) => {
  const page = await open('/#/sessions');
  await page.getByText('Page 1 of 100').waitFor();
  t.is((await ids(page)).length, 100);
  await page.getByRole('button', { name: 'Older' }).click();
  await page.getByText('Page 2 of 100').waitFor();
  t.is((await ids(page))[0], 's-100');
  const begun = performance.now();
  gateway.patch({
    sessions: [
      sessionRow({ sessionId: 's-100', sentence: 'Something new of it.', requestedAt: MANY[100]?.requestedAt ?? '' }),
    ],
  });
  await page.getByText('Something new of it.').waitFor();
  t.log(`a patch is shown after ${Math.round(performance.now() - begun)} ms`);
});

withGateway(
  'many sessions are stopped after a question, and what was refused is told of each',
  FLEET,
  async (t, { gateway, open }) => {
    const page = await open('/#/sessions?phase=all');
    await page.getByRole('checkbox', { name: 'Select s-1' }).click();
    await page.getByText('1 selected').waitFor();
    await page.getByRole('checkbox', { name: 'Select s-4' }).click({ modifiers: ['Shift'] });
    await page.getByText('4 selected').waitFor();
    gateway.answers.set('DELETE /sessions/s-2', {
      status: 409,
      body: problem(409, 'SESSION_NOT_LIVE', 's-2 is over already'),
    });
    await page.getByRole('button', { name: 'Stop 4 sessions' }).click();
    const dialog = page.locator('mu-dialog');
    await dialog.getByText('2 containers are stopped, and what was not saved elsewhere is lost').waitFor();
    await dialog.getByText('1 leaves the line').waitFor();
    await dialog.getByText('1 is left out').waitFor();
    t.deepEqual(gateway.sent, [], 'nothing before the answer');
    await dialog.getByLabel('Reason').fill('the lesson is over');
    await dialog.getByRole('button', { name: 'Stop 3 sessions' }).click();
    await dialog.getByText('2 sessions stop now').waitFor();
    await dialog.getByText('s-2: S-2 is over already.').waitFor();
    for (const sessionId of ['s-1', 's-2', 's-3'])
      t.deepEqual(gateway.sentTo('DELETE', `/sessions/${sessionId}`), [{ reason: 'the lesson is over' }]);
    t.deepEqual(gateway.sentTo('DELETE', '/sessions/s-4'), []);
    await dialog.getByRole('button', { name: 'Done' }).click();
    await page.getByText('None selected').waitFor();
  },
);

withGateway('a viewer selects nothing and reads no output', FLEET, async (t, { gateway, open }) => {
  gateway.role = 'viewer';
  const page = await open('/#/sessions');
  await becomes(page, ['s-1', 's-2', 's-3']);
  t.is(await page.getByRole('checkbox').count(), 0);
  await page.locator('mu-sessions a.image').first().click();
  await page.getByText('This needs the role operator').waitFor();
  t.is(gateway.readers, 0);
  t.true(await page.getByRole('button', { name: 'Stop session' }).isDisabled());
});

withGateway(
  "a session's page tells its life, what it holds and why it is there",
  FLEET,
  async (t, { gateway, open }) => {
    gateway.events = wholeLife(Date.now()).slice(0, 5);
    const page = await open('/#/sessions/s-1');
    const life = page.getByRole('list', { name: 'What happened to the session' });
    await life.getByText('Started on host-1').waitFor();
    await life.getByText('MEMORY_SHORT on 9, AGENT_DISABLED on 3 of 12.').waitFor();
    await life.getByText('Running on host-1.').waitFor();
    const facts = page.getByRole('region', { name: 'What it is and holds' });
    await facts.getByText('docker.io/kasmweb/desktop:1.16.0').waitFor();
    await facts.getByText('sha256:3f9a').waitFor();
    await facts.getByText('2 CPUs (more while the host has idle CPU), 4 GiB of memory').waitFor();
    t.is(await facts.getByRole('link', { name: '127.0.0.1:32768' }).getAttribute('href'), 'https://127.0.0.1:32768/');
    await page.getByText('Compute its placement again from the log').click();
    await page.getByText('Went to gpu-02').waitFor();
    gateway.events = wholeLife(Date.now());
    gateway.patch({
      sessions: [
        sessionRow({
          sessionId: 's-1',
          phase: 'ended',
          endedAt: secondsBefore(0, Date.now()),
          cause: 'OPERATOR',
          sentence: 'Ended: an operator stopped it.',
          position: 'zone-default:99',
        }),
      ],
    });
    await life.getByText('“the lesson is over”').waitFor();
    t.is(await life.getByText('now', { exact: true }).count(), 0, 'nothing goes on');
    t.is(await page.getByRole('button', { name: 'Stop session' }).count(), 0);
  },
);

withGateway('from the form that started it a session is one step away', FLEET, async (t, { open }) => {
  const page = await open('/#/sessions');
  await page.getByRole('button', { name: 'Start a session' }).click();
  const dialog = page.locator('mu-dialog');
  await dialog.getByRole('button', { name: 'Start session' }).click();
  await dialog.getByRole('link', { name: 'Open its page' }).click();
  await page.getByRole('heading', { name: 'What it is and holds' }).waitFor();
  t.regex(new URL(page.url()).hash, /^#\/sessions\/s-[0-9a-f]{8}$/);
  t.is(await dialog.count(), 0);
});

withGateway('a session is stopped from its page', FLEET, async (t, { gateway, open }) => {
  const page = await open('/#/sessions/s-1');
  await page.getByRole('button', { name: 'Stop session' }).click();
  await page.locator('mu-dialog').getByRole('button', { name: 'Stop session' }).click();
  await page.locator('mu-state').getByText('Stopping: an operator stopped it.').first().waitFor();
  t.is(gateway.sentTo('DELETE', '/sessions/s-1').length, 1);
});

withGateway(
  'output is followed, paused, searched, and goes on where the connection broke',
  FLEET,
  async (t, { gateway, open }) => {
    gateway.output = [outputLine('first line'), outputLine('\u001B[31mtrouble\u001B[0m', { from: 'stderr' })];
    const page = await open('/#/sessions/s-1');
    const log = page.getByRole('log', { name: 'Output' });
    await log.getByText('trouble', { exact: true }).waitFor();
    gateway.print({ lines: [outputLine('second line')] });
    await log.getByText('second line').waitFor();
    await page.getByRole('searchbox', { name: 'Search in the output' }).fill('LINE');
    await page.getByText('2 of 3 lines').waitFor();
    t.deepEqual(await log.locator('mark').allInnerTexts(), ['line', 'line']);
    await page.getByRole('searchbox', { name: 'Search in the output' }).fill('');
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused: what is printed now waits').waitFor();
    // Up to one piece may be on its way already when it is paused.
    gateway.print({ lines: [outputLine('third line')] });
    gateway.print({ lines: [outputLine('fourth line')] });
    await page.getByRole('button', { name: 'Go on' }).click();
    await log.getByText('fourth line').waitFor();
    gateway.output = [outputLine('after the break')];
    gateway.print(null);
    await log.getByText('after the break').waitFor();
    t.is(await log.getByText('first line').count(), 1, 'what was there stays');
    gateway.print({ end: { code: 'CONTAINER_ENDED', sentence: 'The container has ended; nothing more comes.' } });
    await page.getByText('The container has ended; nothing more comes.').waitFor();
    t.is(await page.getByRole('button', { name: 'Pause' }).count(), 0);
  },
);

withGateway('a page keeps five thousand lines, and stays at the newest', FLEET, async (t, { gateway, open }) => {
  gateway.output = Array.from({ length: 1000 }, (_, index) => outputLine(`early ${index}`));
  const page = await open('/#/sessions/s-1');
  const log = page.getByRole('log', { name: 'Output' });
  await log.getByText('early 999').waitFor();
  for (let turn = 0; turn < 5; turn += 1) {
    gateway.print({ lines: Array.from({ length: 1000 }, (_, index) => outputLine(`later ${turn}-${index}`)) });
  }
  await log.getByText('later 4-999').waitFor();
  await page.getByText('1000 older ones were let go').waitFor();
  t.is(await log.locator('.line').count(), 5000);
  const fromEnd = await log.evaluate((lines) => lines.scrollHeight - lines.scrollTop - lines.clientHeight);
  t.true(fromEnd < 40, `${fromEnd} pixels from the end`);
});

withGateway(
  'what keeps output from being read is said where it would stand, with what to do',
  FLEET,
  async (t, { gateway, open }) => {
    const detail = 'host-1 did not answer within 3 s: it is away, or older than this gateway and knows no such calls';
    gateway.answers.set('GET /sessions/s-1/logs', { status: 503, body: problem(503, 'AGENT_NO_ANSWER', detail) });
    gateway.answers.set('GET /sessions/s-4/logs', { status: 410, body: problem(410, 'CONTAINER_GONE', 'It is gone.') });
    const page = await open('/#/sessions/s-1');
    await page.getByText('did not answer within 3 s').waitFor();
    gateway.answers.delete('GET /sessions/s-1/logs');
    gateway.output = [outputLine('there it is')];
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('there it is').waitFor();
    await page.goto(`${gateway.url}/#/sessions/s-3`);
    await page.getByText('Nothing is printed yet').waitFor();
    await until(
      'its end',
      async () => gateway.readers,
      (readers) => readers === 0,
    );
    gateway.patch({ sessions: [sessionRow({ sessionId: 's-3' })] });
    await page.getByText('there it is').waitFor();
    await page.goto(`${gateway.url}/#/sessions/s-4`);
    await page.getByText('Its output is gone').waitFor();
    t.is(await page.getByRole('log').count(), 0);
  },
);
