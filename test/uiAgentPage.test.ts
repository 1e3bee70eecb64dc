import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { utilizationView } from '../projections/utilizationView.ts';
import { agentEvents, agentEventsPage, capacityView } from '../ui/gallery/agentRows.ts';
import {
  agentRow,
  DOCKER_DOWN,
  gpuAgentRow,
  imageRow,
  pendingAgentRow,
  secondsBefore,
  sessionRow,
} from '../ui/gallery/fixtures.ts';
import { dialogNamed } from './support/accessPage.ts';
import { accessibilityProblems, readable } from './support/browser.ts';
import { dashboardSpecs, type Wanted, type WithPage } from './support/dashboard.ts';
import { problem } from './support/fakeGateway.ts';
import { until } from './support/until.ts';

/** The page of one agent, in a real browser, against a gateway with canned answers. */

const HEARD_NOW = { lastCheckInAt: secondsBefore(0, Date.now()) };
const FLEET = { agents: [agentRow(HEARD_NOW)], images: [imageRow()], sessions: [sessionRow()] };

const specs = dashboardSpecs();

function withPage(
  title: string,
  { fleet = FLEET, path = '/#/agents/host-1', ...more }: Wanted & { readonly path?: string },
  check: (t: ExecutionContext, opened: WithPage) => Promise<void>,
): void {
  specs.withPage(title, { fleet, path, ...more }, check);
}

const hashOf = (page: Page): string => new URL(page.url()).hash;

withPage(
  'the worked example reads "5 of 12 CPUs allocated", with the use at the last check-in',
  {},
  async (t, { page }) => {
    await page.getByRole('heading', { name: '5 of 12 CPUs allocated' }).waitFor();
    await page.getByText(/^52 % of 6 CPUs used at the last check-in, \d+ s ago$/).waitFor();
    await page.getByRole('heading', { name: '5 of 12 GiB allocated' }).waitFor();
    const bars = (await page.locator('mu-bar p').allInnerTexts()).map(readable);
    t.regex(bars[0] ?? '', /^CPU 5 \/ 12 allocated \(42 %\), 3\.1 \/ 6 used \(52 %\), \d+ s ago$/);
    await page.getByText('CPU override 12, x2.0 of 6 cores').waitFor();
  },
);

withPage(
  'the switch says "Saving" until the answer, and a refusal stands where it happened',
  {},
  async (t, { gateway, page }) => {
    const refused = problem(409, 'AGENT_REVOKED', 'It was revoked.');
    gateway.answers.set('POST /agents/host-1/disable', { status: 409, body: refused });
    await page.getByRole('switch', { name: 'Enabled host-1' }).click();
    await page.getByText('It was revoked.').waitFor();
    t.is(await page.getByRole('switch').getAttribute('aria-checked'), 'true');
    gateway.answers.clear();
    await page.getByRole('switch').click();
    await page.getByRole('switch', { checked: false }).waitFor();
    t.is(await page.getByText('It was revoked.').count(), 0);
  },
);

withPage(
  'an override is set from the page, with what it means before it is saved',
  {},
  async (t, { gateway, page }) => {
    await page.getByRole('button', { name: 'Override capacity' }).click();
    const dialog = await dialogNamed(page, 'Override capacity of host-1');
    await dialog.getByLabel('CPU cores').fill('18');
    await dialog.getByText('18 cores, x3.0 of 6 cores').waitFor();
    await dialog.getByLabel('Memory', { exact: true }).fill('40GiB');
    await dialog.getByText('28 GiB not covered by RAM or swap').waitFor();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    t.deepEqual(gateway.sentTo('PATCH', '/agents/host-1'), [{ coresOverride: '18', memoryOverride: '40GiB' }]);
  },
);

withPage(
  'the history has a chart for each resource, its changes numbered with who and why, and a table',
  {},
  async (t, { page }) => {
    await page.getByRole('img', { name: 'Chart: CPU.' }).waitFor();
    const charts = await page.locator('mu-history-chart h3').allInnerTexts();
    t.deepEqual(charts, [
      'CPU, cores',
      'Memory, GiB',
      'Disk, GiB',
      'GPUs, devices',
      'GPU load, mean of all devices, %',
      'GPU memory, all devices, GiB',
    ]);
    const changes = page.getByRole('list', { name: 'Changes of settings in this time' });
    t.deepEqual(
      (await changes.getByRole('listitem').allInnerTexts()).map((text) =>
        readable(text).replace(/^(\d) .*?:\d\d:\d\d/, '$1'),
      ),
      [
        '1 The CPU override was set to 12 cores. by anna. Reason: small desktops use a third of a core',
        '2 It was disabled: it takes nothing new. by anna. Reason: its power supply is changed',
        '3 It was enabled. by anna',
      ],
    );
    await page.getByText('Capacity and allocated are known since').waitFor();
    await page.getByText('The same as a table').click();
    t.true((await page.getByRole('row').count()) > 40);
    t.true((await page.getByRole('cell', { name: 'no data' }).count()) > 0, 'the silence');
  },
);

withPage(
  '400 days of capacity are drawn, and the page says where it leaves steps out',
  {},
  async (t, { gateway, page }) => {
    const now = Date.now();
    const step = (days: number, cores: number) => ({
      at: now - days * 86_400_000,
      allocated: { millicores: cores * 1000, memoryBytes: 0, gpus: 0 },
      capacity: { millicores: 12_000, memoryBytes: 2 ** 34, gpus: 0 },
    });
    const steps = Array.from({ length: 399 }, (_, day) => step(399 - day, day % 12));
    gateway.use = utilizationView('host-1', { since: now, until: now }, 3600, []);
    // Earlier than whatever the page asks for: its clock is a little behind this one.
    gateway.capacity = capacityView(now, { since: now - 401 * 86_400_000, steps, thinnedToSeconds: 7200 });
    await page.getByRole('button', { name: '400 d' }).click();
    await page.getByText('the ends, the lowest and the highest of every 2 h are drawn').waitFor();
    await page.getByRole('img', { name: 'Chart: CPU.' }).waitFor();
    const year = new Date(now - 400 * 86_400_000).getFullYear();
    await page.getByText(new RegExp(`${year}, \\d\\d:\\d\\d to `)).waitFor();
    t.is(await page.getByText('Capacity and allocated are known since').count(), 0, 'all of it is known');
    t.deepEqual(await accessibilityProblems(page), []);
  },
);

withPage('all charts show what was so under one cursor', {}, async (t, { page }) => {
  const [cpu, memory] = [page.locator('mu-history-chart').nth(0), page.locator('mu-history-chart').nth(1)];
  const plot = page.getByRole('img', { name: 'Chart: CPU.' });
  await plot.scrollIntoViewIfNeeded();
  const box = await plot.boundingBox();
  await plot.hover({ position: { x: (box?.width ?? 0) * 0.75, y: 80 } });
  await cpu.getByText(/: used [\d.]+ \([\d.]+ to [\d.]+\), allocated 2, capacity 6 cores$/).waitFor();
  await memory.getByText(/: used [\d.]+, allocated 2, capacity 12 GiB$/).waitFor();
  const [at, same] = await Promise.all([cpu, memory].map((chart) => chart.locator('.readout').innerText()));
  t.is(at?.split(': ')[0], same?.split(': ')[0]);
});

withPage(
  'a part of the time is zoomed to by dragging or by buttons, stands in the address, and back',
  {},
  async (t, { gateway, page }) => {
    const asked: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/utilization')) asked.push(request.url());
    });
    await page.getByRole('button', { name: '7 d' }).click();
    await page.getByText('a point every').waitFor();
    t.is(hashOf(page), '#/agents/host-1?range=7d');
    await page.getByRole('button', { name: '24 h' }).click();
    const plot = page.getByRole('img', { name: 'Chart: CPU.' });
    await plot.scrollIntoViewIfNeeded();
    const box = await plot.boundingBox();
    if (box === null) throw new Error('no chart');
    const lengthShown = () => {
      const query = new URLSearchParams(hashOf(page).split('?')[1]);
      return (Number(query.get('to')) - Number(query.get('from'))) / 3_600_000;
    };
    await page.mouse.move(box.x + box.width * 0.5, box.y + 80);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.75, box.y + 80, { steps: 4 });
    await page.mouse.up();
    await page.getByRole('button', { name: 'Back to 24 h' }).waitFor();
    t.true(lengthShown() > 4 && lengthShown() < 10, `${lengthShown()} h of 24`);
    const before = lengthShown();
    await page.getByRole('button', { name: 'Zoom in' }).focus();
    await page.keyboard.press('Enter');
    await until(
      'half of it',
      () => Promise.resolve(lengthShown()),
      (hours) => Math.abs(hours - before / 2) < 0.01,
    );
    const link = page.url();
    await page.getByRole('button', { name: 'Back to 24 h' }).click();
    t.is(hashOf(page), '#/agents/host-1');
    t.true(asked.length >= 4);
    await page.goto('about:blank');
    await page.goto(link);
    await page.getByRole('button', { name: 'Back to 24 h' }).waitFor();
    t.is(page.url(), link, 'a link shows the same');
    t.is(gateway.sent.length, 0);
  },
);

withPage(
  'a history that cannot be told says so, and is asked for again by hand',
  {
    prepare: (gateway) => {
      const away = problem(503, 'UNAVAILABLE', 'The bus, where the history is kept, does not answer.');
      gateway.answers.set('GET /agents/host-1/utilization', { status: 503, body: away });
    },
  },
  async (t, { gateway, page }) => {
    const history = page.locator('mu-agent-history');
    await history.getByText('The bus, where the history is kept, does not answer.').waitFor();
    gateway.answers.clear();
    await history.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('img', { name: 'Chart: CPU.' }).waitFor();
    t.is(await history.getByText('does not answer').count(), 0);
  },
);

withPage(
  'what happened is told newest first with who and why, and older events are fetched',
  {
    prepare: (gateway) => {
      const all = agentEvents(Date.now());
      gateway.eventPages = [
        agentEventsPage(Date.now(), { events: all.slice(0, 5), next: '0' }),
        agentEventsPage(Date.now(), { events: all.slice(5) }),
      ];
    },
  },
  async (t, { gateway, page }) => {
    const events = page.getByRole('list', { name: 'Events' }).getByRole('listitem');
    await events.first().getByText('Session s-7f3k2q runs.').waitFor();
    t.is(await events.count(), 5);
    t.is(await events.getByRole('link', { name: 's-7f3k2q' }).first().getAttribute('href'), '#/sessions/s-7f3k2q');
    await events.nth(4).getByText('by anna. Reason: its power supply is changed').waitFor();
    await page.getByRole('button', { name: 'Older events' }).click();
    await events.nth(11).getByText('It was approved, for zone default.').waitFor();
    await page.getByText('is in the log, and not listed by agent').waitFor();
    const [newest] = agentEvents(Date.now());
    if (newest === undefined) throw new Error('no event');
    gateway.eventPages = [
      agentEventsPage(Date.now(), { events: [{ ...newest, position: 'zone-default:13' }, ...agentEvents(Date.now())] }),
    ];
    gateway.patch({ agents: [agentRow({ ...HEARD_NOW, sessions: 3 })] });
    await until(
      'the new one is there',
      () => events.count(),
      (count) => count === 13,
    );
  },
);

withPage(
  'its devices, sessions, images and host are told',
  {
    fleet: { agents: [gpuAgentRow(HEARD_NOW)], images: [imageRow()], sessions: [sessionRow({ agentId: 'gpu-02' })] },
    path: '/#/agents/gpu-02',
  },
  async (t, { page }) => {
    const gpus = page.getByRole('table', { name: 'GPUs of gpu-02' });
    await gpus.getByText('no: the container engine cannot inject it: no nvidia runtime').waitFor();
    await page.getByText('4 detected, 3 usable, 2 schedulable, 1 free').waitFor();
    const sessions = page.getByRole('list', { name: 'Sessions on it' });
    t.is(await sessions.getByRole('link', { name: 's-7f3k2q' }).getAttribute('href'), '#/sessions/s-7f3k2q');
    const images = page.getByRole('list', { name: 'Images on it' }).getByRole('listitem');
    await images.filter({ hasText: 'docker.io/pytorch/pytorch:2.5.1' }).getByText('6.1 GiB').waitFor();
    await page.getByRole('button', { name: '2 more images' }).click();
    t.is(await images.count(), 10);
    for (const fact of [
      'host-1.rack-17.example.internal',
      'Docker 28.0.1',
      '144 / 400 GiB used (36 %)',
      'boot-5d0f2a7c',
      '127.0.0.1',
    ]) {
      await page.getByText(fact, { exact: true }).waitFor();
    }
  },
);

withPage(
  'an agent is approved, revoked and removed on its own page, each with its consequences',
  {
    fleet: { ...FLEET, agents: [pendingAgentRow(HEARD_NOW)] },
    path: '/#/agents/host-new',
  },
  async (t, { gateway, page }) => {
    await page.getByText('Fingerprint 5f0c1a9be2d47786: compare it with what the agent printed').waitFor();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('switch', { name: 'Enabled host-new' }).waitFor();
    t.deepEqual(gateway.sentTo('POST', '/agents/host-new/approve'), [{ fingerprint: '5f0c1a9be2d47786' }]);
    await page.getByRole('button', { name: 'Revoke' }).click();
    const revoke = await dialogNamed(page, 'Revoke host-new?');
    await revoke.getByLabel('Reason').fill('it was stolen');
    await revoke.getByRole('button', { name: 'Revoke agent' }).click();
    await revoke.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Remove' }).click();
    const remove = await dialogNamed(page, 'Remove host-new?');
    await remove.getByRole('button', { name: 'Remove agent' }).click();
    await page.getByText('No agent has the id host-new. It may have been removed.').waitFor();
    t.is(gateway.sentTo('DELETE', '/agents/host-new').length, 1);
  },
);

withPage(
  'a condition says how it is mended, and a viewer is told what is not for them',
  {
    fleet: { ...FLEET, agents: [agentRow({ ...HEARD_NOW, conditions: [DOCKER_DOWN] })] },
    prepare: (gateway) => {
      gateway.role = 'viewer';
    },
  },
  async (t, { page }) => {
    await page.getByRole('list', { name: 'Conditions' }).getByText('DOCKER_DOWN').waitFor();
    for (const name of ['Override capacity', 'Revoke']) {
      t.regex((await page.getByRole('button', { name }).getAttribute('title')) ?? '', /^This needs the role/);
    }
  },
);
