import type { ExecutionContext } from 'ava';
import type { LiveSnapshot } from '../ui/data/fleet.ts';
import {
  agentRow,
  GIB,
  gpuAgentRow,
  imageRow,
  pendingAgentRow,
  secondsBefore,
  sessionRow,
} from '../ui/gallery/fixtures.ts';
import { changeRow } from '../ui/gallery/overviewRows.ts';
import { accessibilityProblems, readable } from './support/browser.ts';
import { dashboardSpecs, type WithPage } from './support/dashboard.ts';
import { problem, type FakeGateway } from './support/fakeGateway.ts';
import { startFakeAgent } from './support/fakeAgent.ts';

/** The overview in a real browser: totals, what needs attention and the way to deal with it, and what changed last. */

const { withPage, onRealGateway } = dashboardSpecs();

function withFleet(
  title: string,
  fleet: () => Partial<LiveSnapshot>,
  check: (t: ExecutionContext, opened: WithPage) => Promise<void>,
  prepare: (gateway: FakeGateway) => void = () => {},
): void {
  withPage(title, { fleet, prepare }, check);
}

const heard = () => ({ lastCheckInAt: secondsBefore(0, Date.now()) });
const HOST_4 = { agentId: 'host-4', hostname: 'host-4' };

withFleet(
  'the totals of the fleet are read off the page: allocated, used, GPUs free, sessions',
  () => ({
    agents: [agentRow(heard()), gpuAgentRow(heard())],
    images: [imageRow()],
    sessions: [sessionRow({ phase: 'running' }), sessionRow({ sessionId: 's-2', phase: 'waiting' })],
  }),
  async (t, { gateway, page }) => {
    await page.getByText('CPU 13 / 76 allocated (17 %),').waitFor();
    await page.getByText(/24\.4 \/ 70 used \(35 %\), by 2 agents, at most \d+ s ago/).waitFor();
    await page.getByText('GPU 1 free of 2 schedulable, 1 allocated (50 %)').waitFor();
    await page.getByText('2 more are detected and cannot be given out').waitFor();
    const sessions = page.getByRole('list', { name: 'Sessions by phase' });
    t.deepEqual(await sessions.getByRole('link').locator('span').allInnerTexts(), [
      '1 running',
      '0 starting',
      '1 waiting',
    ]);
    gateway.patch({ agents: [agentRow({ ...heard(), intent: 'disabled' })] });
    await page.getByText('Of the capacity 12 CPUs, 12 GiB are on 1 agent that takes nothing new now.').waitFor();
  },
);

withFleet(
  'agents by state are links to the table of exactly these',
  () => ({
    agents: [
      agentRow(heard()),
      agentRow({ ...heard(), ...HOST_4, connectivity: 'missing' }),
      agentRow({ ...heard(), agentId: 'host-5', hostname: 'host-5', intent: 'disabled' }),
      pendingAgentRow(heard()),
    ],
  }),
  async (t, { page }) => {
    const states = page.getByRole('list', { name: 'Agents by state' }).getByRole('link');
    await states.first().waitFor();
    t.deepEqual(await states.locator('span').allInnerTexts(), ['1 to approve', '1 missing', '2 online', '1 disabled']);
    t.is(await states.nth(1).getAttribute('href'), '#/agents?state=missing');
  },
);

withFleet(
  'what needs attention comes worst first, each with its sentence and how it is mended',
  () => ({
    agents: [
      agentRow(heard()),
      gpuAgentRow({
        ...heard(),
        conditions: [{ condition: 'GPU_FAILED', detail: 'GPU 2 has fallen off the bus', mend: 'restart the host' }],
      }),
      agentRow({
        ...heard(),
        agentId: 'risky',
        hostname: 'risky',
        memoryRisks: [{ level: 'uncovered', sentence: '4 GiB not covered by RAM or swap: sessions can be killed' }],
      }),
      agentRow({ ...heard(), ...HOST_4, connectivity: 'missing', sentence: 'Missing: it has stopped checking in.' }),
      pendingAgentRow(heard()),
    ],
  }),
  async (t, { page }) => {
    const agents = page.getByRole('list', { name: 'Agents that need attention' });
    await agents.waitFor();
    t.deepEqual(await agents.locator('.agent > a').allInnerTexts(), ['host-new', 'host-4', 'risky', 'gpu-02']);
    const gpu = readable(await page.getByRole('list', { name: 'What is the matter with gpu-02' }).innerText());
    t.is(gpu, 'GPU 2 has fallen off the bus. Restart the host.');
    await page.getByText('GPU failed', { exact: true }).waitFor();
    t.is(await agents.getByRole('link', { name: 'gpu-02' }).getAttribute('href'), '#/agents/gpu-02');
    await page.getByRole('button', { name: 'Declare lost host-4' }).click();
    await page.getByRole('dialog', { name: 'Declare host-4 lost?' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Override risky' }).click();
    await page.getByRole('dialog').getByText('risky').first().waitFor();
  },
);

withFleet(
  'an agent is approved from the overview, beside its fingerprint; a refusal stands there too',
  () => ({ agents: [pendingAgentRow(heard())] }),
  async (t, { gateway, page }) => {
    const { agentId, fingerprint } = pendingAgentRow();
    await page.getByText(`Fingerprint ${fingerprint}`).waitFor();
    const path = `/agents/${agentId}/approve`;
    const detail = 'the fingerprint is another one by now';
    gateway.answers.set(`POST ${path}`, { status: 409, body: problem(409, 'FINGERPRINT_OTHER', detail) });
    await page.getByRole('button', { name: 'Approve host-new' }).click();
    await page.getByRole('alert').getByText('The fingerprint is another one by now').waitFor();
    gateway.answers.clear();
    await page.getByRole('button', { name: 'Approve host-new' }).click();
    await page.getByText('host-new is approved.').waitFor();
    await page.getByRole('button', { name: 'Approve host-new' }).waitFor({ state: 'detached' });
    t.deepEqual(gateway.sentTo('POST', path), [{ fingerprint }, { fingerprint }]);
  },
);

withFleet(
  'of many agents in trouble the first are shown, and the table has the others',
  () => ({
    agents: Array.from({ length: 40 }, (_, index) =>
      agentRow({ ...heard(), agentId: `late-${index}`, hostname: `late-${index}`, connectivity: 'late' }),
    ),
  }),
  async (t, { page }) => {
    const more = page.getByRole('link', { name: '28 more in the table of agents' });
    t.is(await more.getAttribute('href'), '#/agents?attention=1');
    t.is(await page.locator('.agent').count(), 12);
  },
);

withFleet(
  'what changed last is told with who and why, links to what it is about, and goes on live',
  () => ({
    agents: [agentRow({ ...heard(), hostname: 'rack-7' })],
    changes: [changeRow({ at: secondsBefore(40, Date.now()) })],
  }),
  async (t, { gateway, page }) => {
    const changes = page.getByRole('list', { name: 'Recent changes' }).getByRole('listitem');
    await changes.first().waitFor();
    t.regex(readable(await changes.first().innerText()), /^rack-7 was disabled By ada: kernel update 4\d s ago$/);
    t.is(await changes.first().getByRole('link').getAttribute('href'), '#/agents/host-1');
    const enabled = changeRow({ position: 'zone-default:18', reason: null, words: 'was enabled' });
    gateway.patch({ changes: [enabled, changeRow()] });
    await changes.filter({ hasText: 'was enabled' }).waitFor();
    t.is(await changes.count(), 2);
  },
);

withFleet(
  'a gateway that cannot write says why, and who writes which log',
  () => ({ agents: [agentRow(heard())] }),
  async (t, { page }) => {
    await page.getByText('Nothing can be changed just now. The bus is away.').waitFor();
    const logs = page.getByRole('list', { name: 'Who writes the logs' });
    t.deepEqual(await logs.getByRole('listitem').allInnerTexts(), [
      'Log fleet is written by gateway-1, which answers here.',
      'Log zone-default is written by nobody just now.',
    ]);
  },
  ({ answers }) => answers.set('GET /readyz', { status: 503, body: { status: 'not ready', why: 'the bus is away' } }),
);

withFleet(
  'while there is nothing the page teaches the way: join an agent, then an image, then a session',
  () => ({}),
  async (t, { gateway, page }) => {
    await page.getByText('npx muster manager-token issue').waitFor();
    await page.getByText('npx muster agent --join').waitFor();
    gateway.patch({
      agents: [agentRow({ ...heard(), sessions: 0, allocated: { millicores: 0, memoryBytes: 0, gpus: 0 } })],
    });
    t.is(await page.getByRole('link', { name: 'Define the first image' }).getAttribute('href'), '#/images');
    gateway.patch({ images: [imageRow()] });
    t.is(await page.getByRole('link', { name: 'Start the first session' }).getAttribute('href'), '#/sessions');
    await page.getByText(/^Nothing: 1 of 1 agent online, 0 sessions running/).waitFor();
    await page.getByText('Nothing yet: what happens to agents').waitFor();
  },
);

withFleet(
  'ten thousand agents are summed up by the gateway, and patches of a thousand do not hold up the page',
  () => ({
    agents: Array.from({ length: 10_000 }, (_, index) =>
      agentRow({ ...heard(), agentId: `a-${index}`, hostname: `a-${index}` }),
    ),
  }),
  async (t, { gateway, page }) => {
    await page.getByText('CPU 50,000 / 120,000 allocated (42 %),').waitFor();
    const rows = Array.from({ length: 1000 }, (_, index) =>
      agentRow({
        ...heard(),
        agentId: `a-${index}`,
        hostname: `a-${index}`,
        allocated: { millicores: 6000, memoryBytes: GIB, gpus: 0 },
      }),
    );
    gateway.patch({ agents: rows });
    await page.getByText('CPU 51,000 / 120,000 allocated (43 %),').waitFor();
    t.pass();
  },
);

onRealGateway('on a real gateway the overview approves an agent and tells of it', async (t, { muster, page }) => {
  const agent = startFakeAgent(await muster.nats.connect('app'), { agentId: 'six', cores: 6, memoryGib: 6 });
  t.teardown(() => agent.stop());
  await page.getByRole('button', { name: 'Approve host-of-six' }).click();
  await page.getByText('CPU 0 / 6 allocated (0 %),').waitFor();
  const changes = page.getByRole('list', { name: 'Recent changes' });
  await changes.getByText('was approved for zone default').waitFor();
  await muster.defineImage('one');
  await changes.getByText('was defined').waitFor();
  await muster.request('POST', '/sessions', { body: { imageId: 'one' } });
  await page.getByText('CPU 1 / 6 allocated (17 %),').waitFor();
  await page.getByRole('link', { name: '1 running' }).waitFor();
  await muster.request('POST', '/agents/six/disable', { body: { reason: 'kernel update' } });
  await changes.getByText(': kernel update').waitFor();
  await page.getByText('are on 1 agent that takes nothing new now').waitFor();
  t.deepEqual(await accessibilityProblems(page), []);
});
