import test from 'ava';
import type { AgentView, SessionView, ZoneSummary } from '../projections/views.ts';
import type { LiveSnapshot } from '../ui/data/fleet.ts';
import { startGateway, type ProblemBody, type StartAnswer, type TestGateway } from './support/gateway.ts';
import { openStream } from './support/sse.ts';
import { until } from './support/until.ts';

/** Agents that fall silent, over HTTP and on the real bus. A check-in is due every second here, so missing takes six. */
const QUICK = { MUSTER_CHECKIN_SECONDS: '1' };

async function started(muster: TestGateway, imageId = 'one'): Promise<SessionView> {
  const { body } = await muster.request('POST', '/sessions', { body: { imageId } });
  return (body as StartAnswer).session;
}

async function untilIs(muster: TestGateway, agentId: string, connectivity: AgentView['connectivity']): Promise<void> {
  await until(
    `${agentId} ${connectivity}`,
    () => muster.agent(agentId),
    (agent) => agent.connectivity === connectivity,
  );
}

test('a missing agent is declared lost with a reason: its sessions end, and its return cleans up', async (t) => {
  const muster = await startGateway(t, { env: QUICK });
  const agent = await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.request('PATCH', '/agents/six', { body: { coresOverride: 12 } });
  await muster.defineImage('one');
  const { sessionId } = await started(muster);
  await until(
    'it runs',
    () => muster.sessions(),
    ([session]) => session?.phase === 'running',
  );
  agent.stop();
  const path = '/agents/six/declare-lost';
  const early = await muster.request('POST', path, { body: { reason: 'too soon' } });
  t.deepEqual([early.status, (early.body as ProblemBody).code], [409, 'AGENT_NOT_MISSING']);
  await untilIs(muster, 'six', 'missing');
  t.is((await muster.sessions())[0]?.phase, 'unknown');
  for (const body of [{}, { reason: '' }, { reason: '  ' }, { reason: 'x'.repeat(501) }]) {
    t.is((await muster.request('POST', path, { body })).status, 400);
  }
  const headers = { 'idempotency-key': 'lost-once' };
  const declared = await muster.request('POST', path, { body: { reason: 'its disk burned' }, headers });
  t.is(declared.status, 200);
  t.like(declared.body, { connectivity: 'lost', sessions: 0, allocated: { millicores: 0, memoryBytes: 0, gpus: 0 } });
  t.is((await muster.request('POST', path, { body: { reason: 'its disk burned' }, headers })).status, 200);
  const events = await muster.events();
  const lost = events.filter(({ type }) => type === 'AgentDeclaredLost');
  t.is(lost.length, 1);
  t.like(lost[0], { reason: 'its disk burned', data: { agentId: 'six', sessions: 1 } });
  t.false(
    events.some(({ type }) => type === 'SessionEnded'),
    'one event, no fan-out',
  );
  const over = await muster.read<SessionView>(`/sessions/${sessionId}`);
  t.like(over, { phase: 'ended', cause: 'AGENT_LOST', claim: null, position: lost[0]?.position });
  await agent.refresh();
  t.deepEqual(agent.document()?.sessions, [], 'what it should run holds nothing of what ended');
  await untilIs(muster, 'six', 'online');
  const back = await muster.agent('six');
  t.is(back.coresOverride?.value, 12_000, 'its settings survive');
  t.like(
    (await muster.events()).findLast(({ type }) => type === 'AgentReturned'),
    { data: { from: 'lost' } },
  );
});

test('agents that fall silent at once look like a partition, which the zone shows until they are back', async (t) => {
  const muster = await startGateway(t, { env: QUICK });
  const ids = ['one', 'two', 'three'];
  const agents = await Promise.all(ids.map((agentId) => muster.agentOnline({ agentId, cores: 1, memoryGib: 1 })));
  const stream = await openStream(`${muster.url}/api/v1/live?view=fleet`);
  t.teardown(() => stream.close());
  const zone = async () => (await muster.read<{ readonly zones: readonly ZoneSummary[] }>('/zones')).zones[0];
  const suspected = await until('a partition', zone, (seen) => (seen?.conditions.length ?? 0) > 0);
  t.is(suspected?.conditions[0]?.condition, 'PARTITION_SUSPECTED');
  t.regex(
    suspected?.conditions[0]?.detail ?? '',
    /^[23] of 3 agents fell silent at once: .* nothing is declared lost$/,
  );
  const told = (conditions: number) =>
    stream.until(({ data }) => (data as Partial<LiveSnapshot>).zones?.[0]?.conditions.length === conditions);
  t.is((await told(1)).event, 'patch');
  await until(
    'they are back',
    async () => {
      await Promise.all(agents.map((agent) => agent.refresh()));
      return await zone();
    },
    (seen) => seen?.conditions.length === 0,
  );
  t.is((await told(0)).event, 'patch');
});
