import test from 'ava';
import type { AgentView } from '../projections/views.ts';
import type { ZoneCommand } from '../domain/zone/commands.ts';
import { isoTime, realClock } from '../infra/clock.ts';
import { aCheckIn, aRequest, aTick } from './support/builders.ts';
import { codeOf, fleetEvents, LOCAL_KEY, memoryApp, type MemoryApp } from './support/memoryApp.ts';
import { until } from './support/until.ts';

/** Agents that lose their trust, and what has to be over before they are taken off the list. */

const REASON = { reason: 'the host was stolen' };

/** Enrolled with a fingerprint, as its first check-in does it. */
async function enrol(muster: MemoryApp, agentId = 'agent-1', fingerprint: string | null = 'f1'): Promise<void> {
  await muster.core.fleet.submit({
    key: `enrol:${agentId}`,
    recorded: false,
    actor: { kind: 'agent', id: agentId },
    command: { type: 'EnrolAgent', agentId, hostname: agentId, simulated: false, fingerprint, expected: false },
  });
}

function agentOf(muster: MemoryApp): Promise<AgentView> {
  return muster.admin('GET', '/agents/agent-1');
}

async function refusal(muster: MemoryApp, method: string, path: string, body?: object) {
  return codeOf(await muster.ask(method, path, { key: LOCAL_KEY, ...(body === undefined ? {} : { body }) }));
}

test('an agent shows its fingerprint, and is approved only with the one that was compared, when one was', async (t) => {
  const muster = await memoryApp(t);
  await enrol(muster);
  t.like(await agentOf(muster), { intent: 'pending', fingerprint: 'f1', revokedAt: null });
  const path = '/agents/agent-1/approve';
  t.deepEqual(await refusal(muster, 'POST', path, { fingerprint: 'f2' }), [409, 'FINGERPRINT_DIFFERS']);
  t.like(await agentOf(muster), { intent: 'pending' });
  t.like(await muster.admin('POST', path, { fingerprint: 'f1' }), { intent: 'enabled', fingerprint: 'f1' });
  await enrol(muster, 'agent-2', null);
  t.like(await muster.admin('POST', '/agents/agent-2/approve'), { intent: 'enabled', fingerprint: null });
});

test('revoking an agent needs a reason, holds for ever and disables it', async (t) => {
  const muster = await memoryApp(t);
  await enrol(muster);
  t.deepEqual(await refusal(muster, 'POST', '/agents/nobody/revoke', REASON), [404, 'AGENT_UNKNOWN']);
  await muster.admin('POST', '/agents/agent-1/approve');
  t.deepEqual(await refusal(muster, 'POST', '/agents/agent-1/revoke'), [400, 'INVALID_REQUEST']);
  const revoked = await muster.admin<AgentView>('POST', '/agents/agent-1/revoke', REASON);
  t.like(revoked, { intent: 'revoked', zone: 'default' });
  t.is(Number.isNaN(Date.parse(revoked.revokedAt ?? '')), false);
  const isEnabled = async () => zoneOf(muster).projection.state.agents.get('agent-1')?.enabled ?? null;
  await until('disabled', isEnabled, (enabled) => enabled === false);
  const events = await fleetEvents(muster);
  t.like(events.at(-1), { type: 'AgentRevoked', actor: { id: 'admin' }, ...REASON, data: { agentId: 'agent-1' } });
  for (const [method, path, body] of [
    ['POST', '/agents/agent-1/approve', {}],
    ['POST', '/agents/agent-1/enable', {}],
    ['PATCH', '/agents/agent-1', { enabled: true }],
  ] as const) {
    t.deepEqual(await refusal(muster, method, path, body), [409, 'AGENT_REVOKED'], path);
  }
  await muster.admin('POST', '/agents/agent-1/revoke', REASON);
  t.deepEqual(await fleetEvents(muster), events, 'once is enough');
});

test('a pending agent that is removed or revoked is in no zone and can go', async (t) => {
  const muster = await memoryApp(t);
  await enrol(muster);
  await muster.admin('DELETE', '/agents/agent-1');
  t.deepEqual(await refusal(muster, 'GET', '/agents/agent-1'), [404, 'AGENT_UNKNOWN']);
  await enrol(muster);
  t.like(await muster.admin('POST', '/agents/agent-1/revoke', REASON), { intent: 'revoked', zone: '' });
  t.deepEqual(await refusal(muster, 'PATCH', '/agents/agent-1', { coresOverride: '2' }), [409, 'AGENT_REVOKED']);
  await muster.admin('DELETE', '/agents/agent-1');
  t.deepEqual(await refusal(muster, 'DELETE', '/agents/agent-1'), [404, 'AGENT_UNKNOWN']);
});

test('a revoked agent that holds sessions is removed only after it was declared lost', async (t) => {
  const muster = await memoryApp(t);
  await enrol(muster);
  const { desiredVersion } = await approvedIn(muster);
  const { logId } = zoneOf(muster).replica;
  muster.core.receive(aCheckIn({ logId, appliedVersion: desiredVersion }), isoTime(realClock.now()));
  await until(
    'online',
    () => agentOf(muster),
    ({ connectivity }) => connectivity === 'online',
  );
  await order(muster, aRequest({ sessionId: 's-1' }));
  await muster.admin('POST', '/agents/agent-1/revoke', REASON);
  const refused = await muster.ask('DELETE', '/agents/agent-1', { key: LOCAL_KEY });
  t.deepEqual(codeOf(refused), [409, 'AGENT_HAS_SESSIONS']);
  t.like(refused.body, { numbers: { sessions: 1 } });
  await order(muster, aTick({ silences: [{ agentId: 'agent-1', seconds: 60, to: 'missing' }] }));
  t.like(await muster.admin('POST', '/agents/agent-1/declare-lost', REASON), { intent: 'revoked', sessions: 0 });
  t.is((await muster.ask('DELETE', '/agents/agent-1', { key: LOCAL_KEY })).status, 204);
  t.like(await muster.admin('GET', '/agents'), { agents: [] });
});

function zoneOf({ core }: MemoryApp) {
  const zone = core.zones.get('default');
  if (zone === undefined) throw new Error('there is no zone');
  return zone;
}

async function approvedIn(muster: MemoryApp) {
  await muster.admin('POST', '/agents/agent-1/approve');
  const agent = zoneOf(muster).projection.state.agents.get('agent-1');
  if (agent === undefined) throw new Error('it has not joined');
  return agent;
}

async function order(muster: MemoryApp, command: ZoneCommand): Promise<void> {
  const actor = { kind: 'operator', id: 'admin' } as const;
  const answer = await zoneOf(muster).replica.submit({ key: command.type, recorded: false, actor, command });
  if (answer.kind === 'rejected') throw new Error(answer.rejection.message);
}

test('an approved agent is removed once it is revoked and holds nothing; then its secret is gone, too', async (t) => {
  const muster = await memoryApp(t);
  await enrol(muster);
  await muster.admin('POST', '/agents/agent-1/approve');
  muster.secrets.standing.set('agent.agent-1', { value: '{}', revision: 9998 });
  t.deepEqual(await refusal(muster, 'DELETE', '/agents/agent-1'), [409, 'AGENT_NOT_REVOKED']);
  t.is((await agentOf(muster)).zone, 'default', 'nothing was done');
  await muster.admin('POST', '/agents/agent-1/revoke', REASON);
  const headers = { 'idempotency-key': 'remove-1' };
  t.is((await muster.ask('DELETE', '/agents/agent-1', { key: LOCAL_KEY, headers })).status, 204);
  t.is(zoneOf(muster).projection.state.agents.size, 0);
  t.false(muster.secrets.standing.has('agent.agent-1'));
  await enrol(muster);
  muster.secrets.standing.set('agent.agent-1', { value: '{}', revision: 9999 });
  t.is((await muster.ask('DELETE', '/agents/agent-1', { key: LOCAL_KEY, headers })).status, 204);
  t.true(muster.secrets.standing.has('agent.agent-1'), 'a repeated request takes nothing from who has the id now');
});

test('whatever sizes an agent that nobody has approved tells, it keeps no other from being shown', async (t) => {
  const muster = await memoryApp(t);
  await enrol(muster);
  await enrol(muster, 'agent-2');
  const images = ['i1', 'i2'].map((imageId) => ({ imageId, references: [], sizeBytes: Number.MAX_SAFE_INTEGER }));
  muster.core.receive(aCheckIn({ images }), isoTime(realClock.now()));
  t.is((await muster.admin<{ readonly agents: readonly AgentView[] }>('GET', '/agents')).agents.length, 2);
  t.deepEqual((await agentOf(muster)).images, { count: 2, totalBytes: Number.MAX_SAFE_INTEGER });
});
