import test from 'ava';
import { capacityInThread } from '../gateway/history/capacityThread.ts';
import type { EventRow } from '../gateway/live/eventRows.ts';
import type { AgentHostView, CapacityStep } from '../projections/views.ts';
import { startGateway, type ProblemBody } from './support/gateway.ts';
import { APP_PASSWORD, LOG_PASSWORD } from './support/nats.ts';
import { until } from './support/until.ts';

/** What the page of one agent asks for besides its row, on the real gateway. */

interface Events {
  readonly events: readonly EventRow[];
  readonly next: string | null;
  readonly since: string | null;
}

interface Capacity {
  readonly since: number;
  readonly steps: readonly CapacityStep[];
  readonly changes: readonly EventRow[];
}

test('what happened to an agent is told newest first, with who and why, in pages, and of no other agent', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.agentOnline({ agentId: 'other', cores: 6, memoryGib: 6 });
  await muster.request('PATCH', '/agents/six', { body: { coresOverride: 12, reason: 'small desktops' } });
  await muster.request('POST', '/agents/six/disable', { body: {} });
  const read = async (query = '') => await muster.read<Events>(`/agents/six/events${query}`);
  const { events, next, since } = await until('all of it', read, (page) => page.events[0]?.type === 'AgentDisabled');
  t.is(next, null);
  t.is(events.at(-1)?.type, 'AgentEnrolled');
  t.is(since, null, 'nothing is missing');
  t.like(
    events.find(({ type }) => type === 'CoresOverrideSet'),
    { reason: 'small desktops', actor: { kind: 'operator' }, log: 'zone-default' },
  );
  const types = events.map(({ type }) => type);
  for (const type of ['AgentApproved', 'AgentJoined', 'AgentHardwareChanged']) {
    t.is(types.filter((each) => each === type).length, 1, type);
  }
  const found: EventRow[] = [];
  for (let before: string | null = ''; before !== null;) {
    const page: Events = await read(`?limit=2${before === '' ? '' : `&before=${before}`}`);
    t.true(page.events.length <= 2);
    found.push(...page.events);
    before = page.next;
  }
  t.deepEqual(found, [...events]);
});

test('capacity and allocated are told as they were, 5 of 12 CPUs at the end, with the changes of settings', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  for (const cores of [2, 3]) {
    await muster.defineImage(`cpus-${cores}`, { cores, memory: '1GiB' });
    await muster.request('POST', '/sessions', { body: { imageId: `cpus-${cores}` } });
  }
  await muster.request('PATCH', '/agents/six', { body: { coresOverride: 12 } });
  await muster.request('PATCH', '/agents/six', { body: { labels: { gpu: 'l40' }, pruneMode: 'normal' } });
  const { steps, changes, since } = await muster.read<Capacity>('/agents/six/capacity?hours=1');
  t.deepEqual(
    steps.map(({ allocated, capacity }) => [allocated.millicores, capacity?.millicores ?? null]),
    [
      [0, null],
      [0, 6000],
      [2000, 6000],
      [5000, 6000],
      [5000, 12_000],
    ],
  );
  t.deepEqual(
    changes.map(({ type }) => type),
    ['PruneModeSet', 'AgentLabelsSet', 'CoresOverrideSet', 'AgentJoined'],
  );
  t.is(steps[0]?.at, since);

  const task = { zone: 'default', busUrl: muster.nats.url, replicas: 1, place: { kind: 'nats' } } as const;
  const passwords = { password: LOG_PASSWORD, appPassword: APP_PASSWORD };
  const { version } = await capacityInThread({ ...task, ...passwords }, new AbortController().signal);
  t.true((version ?? 0) > 5);
  await muster.request('PATCH', '/agents/six', { body: { coresOverride: 8 } });
  const later = await muster.read<Capacity>('/agents/six/capacity?hours=9600');
  t.deepEqual(later.steps.slice(0, -1), steps, 'kept as it was told before');
  t.is(later.steps.at(-1)?.capacity?.millicores, 8000, 'and what came after it');
  t.is(later.changes.length, changes.length + 1);
  const upTo = new Date(steps[2]?.at ?? 0).toISOString();
  const earlier = await muster.read<Capacity>(`/agents/six/capacity?hours=1&until=${upTo}`);
  t.deepEqual(earlier.steps, steps.slice(0, 3), 'up to a time');
});

test('the host is told as its check-in has it; what is not there is refused with the reason', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  const host = await muster.read<AgentHostView>('/agents/six/host');
  t.like(host, { agentId: 'six', millicores: 6000, engine: { status: 'up' }, truncated: false });
  t.is(typeof host.bootedAt, 'string');
  for (const path of ['events', 'capacity', 'host']) {
    t.is((await muster.request('GET', `/agents/nobody/${path}`)).status, 404, path);
  }
  const refused = async (path: string) => {
    const { status, body } = await muster.request('GET', `/agents/six/${path}`);
    return [status, (body as ProblemBody).errors?.[0]?.path ?? null];
  };
  t.deepEqual(await refused('events?before=yesterday'), [400, 'before']);
  t.deepEqual(await refused('events?limit=0'), [400, 'limit']);
  t.deepEqual(await refused('capacity?hours=9601'), [400, 'hours']);
  t.deepEqual(await refused('capacity?hours=1&since=2026-01-01T00:00:00Z'), [400, 'hours']);
  await muster.nats.kill9();
  for (const path of ['events', 'capacity']) {
    const answer = await until(
      'the loss is noticed',
      () => refused(path),
      ([status]) => status !== 200,
    );
    t.deepEqual(answer, [503, null], path);
  }
});
