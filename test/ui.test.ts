import type { ExecutionContext } from 'ava';
import type { LiveSnapshot } from '../ui/data/fleet.ts';
import {
  agentRow,
  imageRow,
  partitionedZoneRow,
  pendingAgentRow,
  placedExplanation,
  refusedExplanation,
  secondsBefore,
  sessionRow,
} from '../ui/gallery/fixtures.ts';
import { dialogNamed } from './support/accessPage.ts';
import { agentMenuOf, agentRowOf, chooseForAgent } from './support/agentsPage.ts';
import { readable } from './support/browser.ts';
import { dashboardSpecs, type WithPage } from './support/dashboard.ts';
import { problem } from './support/fakeGateway.ts';

/** What an operator does on the page, in a real browser, against a gateway with canned answers. */

const specs = dashboardSpecs();

function withPage(
  title: string,
  fleet: Partial<LiveSnapshot>,
  check: (t: ExecutionContext, opened: WithPage) => Promise<void>,
  path = '/#/agents',
): void {
  specs.withPage(title, { fleet, path }, check);
}

const HEARD_NOW = { lastCheckInAt: secondsBefore(0, Date.now()) };
const FLEET = { agents: [agentRow(HEARD_NOW)], images: [imageRow()], sessions: [sessionRow()] };

withPage('6 CPUs overridden to 12 with sessions of 2 and 3 read "5 / 12 allocated"', FLEET, async (t, { page }) => {
  const agent = agentRowOf(page, 'host-1');
  await agent.getByText('CPU override 12, x2.0 of 6 cores').waitFor();
  const bars = (await agent.locator('mu-bar p').allInnerTexts()).map(readable);
  t.regex(bars[0] ?? '', /^CPU 5 \/ 12 allocated \(42 %\) 3\.1 \/ 6 used \(52 %\), \d+ s ago$/);
});

withPage(
  'a pending agent is approved with one button',
  { agents: [pendingAgentRow(HEARD_NOW)] },
  async (t, { gateway, page }) => {
    await page.getByRole('button', { name: 'Approve host-new' }).click();
    await page.getByRole('switch', { name: 'Enabled host-new' }).waitFor();
    t.deepEqual(gateway.sentTo('POST', '/agents/host-new/approve'), [{ fingerprint: '5f0c1a9be2d47786' }]);
  },
);

withPage(
  'a pending agent shows its fingerprint beside the button, and one without a secret shows none',
  { agents: [pendingAgentRow(HEARD_NOW), pendingAgentRow({ agentId: 'old', hostname: 'old', fingerprint: null })] },
  async (t, { gateway, page }) => {
    const agent = agentRowOf(page, 'host-new');
    await agent.getByText('Fingerprint 5f0c1a9be2d47786: compare it with what the agent printed').waitFor();
    t.is(await page.getByText('compare it with').count(), 1);
    await page.getByRole('button', { name: 'Approve old' }).click();
    await page.getByRole('switch', { name: 'Enabled old' }).waitFor();
    t.deepEqual(gateway.sentTo('POST', '/agents/old/approve'), [{}]);
  },
);

withPage(
  'an agent is revoked after its consequences were read, never without a reason, and removed when it holds nothing',
  FLEET,
  async (t, { gateway, page }) => {
    const agent = agentRowOf(page, 'host-1');
    t.deepEqual(await agentMenuOf(page, 'host-1'), ['Override', 'History', 'Revoke'], 'it holds sessions');
    await chooseForAgent(page, 'host-1', 'Revoke');
    const dialog = await dialogNamed(page, 'Revoke host-1?');
    await dialog.getByText('2 sessions stay on it').waitFor();
    await dialog.getByLabel('Reason').fill('   ');
    await dialog.getByRole('button', { name: 'Revoke agent' }).click();
    t.deepEqual(gateway.sentTo('POST', '/agents/host-1/revoke'), []);
    await dialog.getByLabel('Reason').fill('it was stolen');
    await dialog.getByRole('button', { name: 'Revoke agent' }).click();
    await dialog.waitFor({ state: 'detached' });
    t.deepEqual(gateway.sentTo('POST', '/agents/host-1/revoke'), [{ reason: 'it was stolen' }]);
    await agent.getByText('Revoked.').waitFor();
    t.is(await agent.getByRole('switch').count(), 0);
    t.deepEqual(await agentMenuOf(page, 'host-1'), ['History', 'Remove']);
    await chooseForAgent(page, 'host-1', 'Remove');
    const removal = await dialogNamed(page, 'Remove host-1?');
    await removal.getByRole('button', { name: 'Remove agent' }).click();
    await agent.waitFor({ state: 'detached' });
    await removal.waitFor({ state: 'detached' });
    t.is(gateway.sentTo('DELETE', '/agents/host-1').length, 1);
  },
);

withPage(
  'the switch shows "Saving" until the answer, and a refusal where it happened',
  FLEET,
  async (t, { gateway, page }) => {
    gateway.answers.set('POST /agents/host-1/disable', {
      status: 409,
      body: problem(409, 'AGENT_UNKNOWN', 'There is no such agent.'),
    });
    const agent = agentRowOf(page, 'host-1');
    await agent.getByRole('switch').click();
    await agent.getByText('There is no such agent.').waitFor();
    t.is(await agent.getByRole('switch').getAttribute('aria-checked'), 'true');
    gateway.answers.clear();
    await agent.getByRole('switch').click();
    await agent.getByRole('switch', { checked: false }).waitFor();
    t.is(await agent.getByText('There is no such agent.').count(), 0);
  },
);

withPage(
  'an override is echoed while typing, and an unusual one is sent only after a second look',
  FLEET,
  async (t, { gateway, page }) => {
    await chooseForAgent(page, 'host-1', 'Override');
    const dialog = await dialogNamed(page, 'Override capacity of host-1');
    await dialog.getByLabel('CPU cores').fill('500m');
    await dialog.getByText('0.5 cores, x0.1 of 6 cores').waitFor();
    const room = dialog.getByRole('list', { name: 'Room for more sessions' });
    await room.getByText('1 → 0').waitFor();
    await dialog.getByLabel('Memory', { exact: true }).fill('24GiB');
    await dialog.getByLabel('CPU cores').fill('24');
    t.is(readable(await room.innerText()), 'Desktop 1 → 4 memory is used up first');
    await dialog.getByLabel('Memory', { exact: true }).fill('');
    await dialog.getByLabel('CPU cores').fill('120');
    await dialog.getByText('120 cores, x20.0 of 6 cores; unusual, you will be asked to confirm').waitFor();
    gateway.answers.set('PATCH /agents/host-1', {
      status: 409,
      body: problem(409, 'CONFIRM_NEEDED', '120 cores are x20.0 of 6 cores.'),
    });
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('button', { name: 'Save all the same' }).waitFor();
    gateway.answers.clear();
    await dialog.getByRole('button', { name: 'Save all the same' }).click();
    await dialog.waitFor({ state: 'detached' });
    t.deepEqual(gateway.sentTo('PATCH', '/agents/host-1'), [
      { coresOverride: '120', memoryOverride: null },
      { coresOverride: '120', memoryOverride: null, confirm: true },
    ]);
    await page.getByText('host-1: 12 cores, x2.0 of 6 cores.').waitFor();
  },
);

withPage(
  'the start form says where a session would go, and afterwards why it went there',
  FLEET,
  async (t, { gateway, page }) => {
    await page.getByRole('button', { name: 'Start a session' }).click();
    const dialog = await dialogNamed(page, 'Start a session');
    await dialog.getByText('Would go to gpu-02').waitFor();
    await dialog.getByText('LOWER_SCORE').waitFor();
    await dialog.getByRole('button', { name: 'Start session' }).click();
    await dialog.getByText('Went to gpu-02').waitFor();
    await dialog.getByText('It would be loaded to 58 %, the chosen one to 33 %.').waitFor();
    t.deepEqual(gateway.sentTo('POST', '/sessions'), [{ imageId: 'desktop', whenFull: 'queue' }]);
  },
  '/#/sessions',
);

withPage(
  'a change of the fleet changes the answer while the form is open',
  FLEET,
  async (t, { gateway, page }) => {
    await page.getByRole('button', { name: 'Start a session' }).click();
    await page.locator('mu-dialog').getByText('Would go to gpu-02').waitFor();
    gateway.plan = { ...placedExplanation(), agentId: 'host-1' };
    gateway.patch({ agents: [agentRow({ ...HEARD_NOW, intent: 'disabled' })] });
    await page.locator('mu-dialog').getByText('Would go to host-1').waitFor();
    t.pass();
  },
  '/#/sessions',
);

withPage(
  'a refused start shows the reasons of every agent, never apart from not now, with the fix',
  FLEET,
  async (t, { gateway, page }) => {
    gateway.answers.set('POST /sessions', {
      status: 409,
      body: problem(409, 'SESSION_REFUSED', 'No agent takes it.', {
        sessionId: 's-1',
        placement: refusedExplanation(),
      }),
    });
    await page.getByRole('button', { name: 'Start a session' }).click();
    const dialog = await dialogNamed(page, 'Start a session');
    await dialog.getByLabel('Refuse at once').check();
    await dialog.getByRole('button', { name: 'Start session' }).click();
    await dialog.getByText('Why it was refused').waitFor();
    const candidates = (await dialog.locator('li.candidate').allInnerTexts()).map(readable);
    t.is(candidates.length, 3);
    t.regex(candidates[1] ?? '', /^host-2 Not now: .* It is disabled\. AGENT_DISABLED To mend: Enable it\./);
    t.regex(candidates[2] ?? '', /^host-1 Never: .* It has no GPU\. GPU_NONE Not now: .* MEMORY_SHORT/);
  },
  '/#/sessions',
);

withPage(
  'a session is stopped after its consequence was read',
  FLEET,
  async (t, { gateway, page }) => {
    await page.getByRole('button', { name: 'Stop s-7f3k2q' }).click();
    const dialog = await dialogNamed(page, 'Stop session s-7f3k2q?');
    await dialog.getByText('what was not saved elsewhere is lost').waitFor();
    t.deepEqual(gateway.sentTo('DELETE', '/sessions/s-7f3k2q'), []);
    await dialog.getByRole('button', { name: 'Stop session' }).click();
    await page.getByRole('table', { name: 'Sessions' }).getByText('Stopping: an operator stopped it.').waitFor();
    t.is(gateway.sentTo('DELETE', '/sessions/s-7f3k2q').length, 1);
  },
  '/#/sessions',
);

const MISSING = agentRow({ ...HEARD_NOW, connectivity: 'missing', sentence: 'Missing: it has stopped checking in.' });

withPage(
  'a missing agent is declared lost after its consequences were read, and never without a reason',
  { ...FLEET, agents: [MISSING, agentRow({ ...HEARD_NOW, agentId: 'host-2', hostname: 'host-2' })] },
  async (t, { gateway, page }) => {
    t.false((await agentMenuOf(page, 'host-2')).includes('Declare lost'), 'only on the missing one');
    await chooseForAgent(page, 'host-1', 'Declare lost');
    const dialog = await dialogNamed(page, 'Declare host-1 lost?');
    await dialog.getByText('2 sessions end at once').waitFor();
    await dialog.getByText('may still run there until its agent returns').waitFor();
    await dialog.getByRole('button', { name: 'Declare lost' }).click();
    await dialog.getByLabel('Reason').fill('   ');
    await dialog.getByRole('button', { name: 'Declare lost' }).click();
    t.deepEqual(gateway.sentTo('POST', '/agents/host-1/declare-lost'), []);
    await dialog.getByLabel('Reason').fill('its disk burned');
    await dialog.getByRole('button', { name: 'Declare lost' }).click();
    await dialog.waitFor({ state: 'detached' });
    t.deepEqual(gateway.sentTo('POST', '/agents/host-1/declare-lost'), [{ reason: 'its disk burned' }]);
    await agentRowOf(page, 'host-1').getByText('Declared lost.').waitFor();
    t.false((await agentMenuOf(page, 'host-1')).includes('Declare lost'));
  },
);

withPage('a suspected partition is shown across the page while it lasts', FLEET, async (t, { gateway, page }) => {
  await agentRowOf(page, 'host-1').waitFor();
  t.is(await page.getByText('PARTITION_SUSPECTED').count(), 0);
  gateway.patch({ zones: [partitionedZoneRow()] });
  await page
    .getByText('9 of 40 agents fell silent at once: this looks like a network partition; nothing is declared lost.')
    .waitFor();
  gateway.patch({ zones: [{ ...partitionedZoneRow(), conditions: [] }] });
  await page.getByText('PARTITION_SUSPECTED').waitFor({ state: 'detached' });
});

withPage(
  'what happens elsewhere appears without a reload',
  FLEET,
  async (t, { gateway, page }) => {
    const sessions = page.getByRole('table', { name: 'Sessions' });
    await sessions.waitFor();
    gateway.patch({
      sessions: [sessionRow({ sessionId: 's-new', endpoints: [] })],
      agents: [agentRow({ hostname: 'host-1-renamed' })],
    });
    await sessions.getByRole('button', { name: 'Stop s-new' }).waitFor();
    t.is(
      await sessions.getByRole('link', { name: '127.0.0.1:32768' }).getAttribute('href'),
      'https://127.0.0.1:32768/',
    );
    await page.getByRole('link', { name: 'Agents' }).click();
    await agentRowOf(page, 'host-1-renamed').waitFor();
  },
  '/#/sessions',
);

withPage(
  'a lost connection is said, and mended by itself or by hand',
  FLEET,
  async (t, { gateway, page }) => {
    await page.getByRole('table', { name: 'Sessions' }).waitFor();
    gateway.answers.set('GET /me', { status: 503, body: problem(503, 'UNAVAILABLE', 'Starting.') });
    gateway.cutLive();
    await page.getByText('Connection lost.').waitFor();
    gateway.answers.clear();
    await page.getByRole('button', { name: 'Try now' }).click();
    await page.getByText('Connection lost.').waitFor({ state: 'detached' });
    gateway.patch({ sessions: [sessionRow({ sessionId: 's-after' })] });
    await page.getByRole('button', { name: 'Stop s-after' }).waitFor();
    t.pass();
  },
  '/#/sessions',
);

withPage('the history of an agent is on its page', FLEET, async (t, { page }) => {
  await chooseForAgent(page, 'host-1', 'History');
  await page.getByRole('img', { name: 'Chart: CPU.' }).waitFor();
  t.is(new URL(page.url()).hash, '#/agents/host-1');
});

withPage('without a sign-in the page says how to get a link', FLEET, async (t, { gateway, page }) => {
  gateway.signedIn = false;
  await page.reload();
  await page.getByText('npx muster sign-in').waitFor();
  t.is(await page.getByRole('navigation', { name: 'Pages' }).count(), 0);
});

withPage('a sign-in link is exchanged once and leaves the address bar', FLEET, async (t, { gateway, page }) => {
  gateway.signedIn = false;
  gateway.tokens.add('one-time');
  await page.goto('about:blank');
  await page.goto(`${gateway.url}/#sign-in=one-time`);
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  t.is(new URL(page.url()).hash, '');
  gateway.signedIn = false;
  await page.goto('about:blank');
  await page.goto(`${gateway.url}/#sign-in=one-time`);
  await page.getByText('This sign-in link was used already or is too old.').waitFor();
  t.is(new URL(page.url()).hash, '');
});

withPage(
  'a session is started with the keyboard alone',
  FLEET,
  async (t, { gateway, page }) => {
    await page.getByRole('button', { name: 'Start a session' }).waitFor();
    const focused = () =>
      page.evaluate(() => {
        let active = document.activeElement;
        while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
        return (active?.textContent ?? '').replaceAll(/\s+/g, ' ').trim();
      });
    const tabTo = async (name: string): Promise<void> => {
      for (let presses = 0; presses < 30 && (await focused()) !== name; presses += 1) await page.keyboard.press('Tab');
      t.is(await focused(), name);
    };
    await tabTo('Start a session');
    await page.keyboard.press('Enter');
    await page.getByText('Would go to gpu-02').waitFor();
    await tabTo('Start session');
    await page.keyboard.press('Enter');
    await page.getByText('Went to gpu-02').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    t.is(await focused(), 'Start a session');
    t.is(gateway.sentTo('POST', '/sessions').length, 1);
  },
  '/#/sessions',
);
