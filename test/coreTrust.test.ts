import test from 'ava';
import type { FleetCommand } from '../domain/fleet/commands.ts';
import type { ZoneCommand } from '../domain/zone/commands.ts';
import { Core } from '../gateway/core/core.ts';
import { agentsShown } from '../gateway/core/queries.ts';
import { isoTime } from '../infra/clock.ts';
import { createMemoryLog, type MemoryStore } from '../infra/log/memory.ts';
import { FLEET_LOG, zoneLog } from '../infra/log/port.ts';
import { decodeCommit } from '../infra/log/codec.ts';
import { aCheckIn } from './support/builders.ts';
import { memoryCorePorts } from './support/corePorts.ts';
import { manualClock } from './support/manualClock.ts';

/** Whom the gateway hears, and what becomes of an agent that has lost its trust. */

const AGENT = 'agent-1';
const ADMIN = { kind: 'operator', id: 'anna' } as const;

/** A gateway that leads. */
async function house({ approvesItself = true } = {}) {
  const clock = manualClock(Date.UTC(2026, 0, 1));
  const store: MemoryStore = new Map();
  const troubles: string[] = [];
  const core = new Core({
    ...memoryCorePorts(clock, (sentence) => troubles.push(sentence)),
    eventLog: createMemoryLog(store),
    approvesItself: () => approvesItself,
  });
  await core.start();
  const zone = core.zones.get('default');
  if (zone === undefined) throw new Error('there is no zone');
  let count = 0;
  let comings = 0;
  const order = () => {
    count += 1;
    return { key: `order-${count}`, recorded: true, actor: ADMIN };
  };
  /** A second goes by, with its tick. */
  const second = async () => {
    await clock.advance(1000);
    void core.tick();
    await clock.advance(100);
  };
  const events = (log: string) => (store.get(log) ?? []).flatMap((bytes) => decodeCommit(bytes).commit.events);
  return {
    core,
    zone,
    troubles,
    second,
    /** Comes to the bus with the secret of that fingerprint. */
    come: async (fingerprint: string) => {
      comings += 1;
      const agent = { agentId: AGENT, hostname: AGENT, simulated: false, fingerprint };
      const rejected = await core.enrol(agent, String(comings));
      await clock.advance(100);
      return rejected?.code ?? 'let in';
    },
    say: async (seq: number, ageMs = 0) => {
      const { logId } = zone.replica;
      const appliedVersion = zone.projection.state.agents.get(AGENT)?.desiredVersion ?? 0;
      core.receive(aCheckIn({ agentId: AGENT, seq, logId, appliedVersion }), isoTime(clock.now() - ageMs));
      await second();
    },
    fleet: async (command: FleetCommand) => {
      const answer = await core.fleet.submit({ ...order(), command });
      await clock.advance(100);
      return answer.kind === 'rejected' ? answer.rejection.code : 'accepted';
    },
    zoneAsked: async (command: ZoneCommand) => {
      const answer = await zone.replica.submit({ ...order(), command });
      return answer.kind === 'rejected' ? answer.rejection.code : 'accepted';
    },
    enrolment: () => core.fleetProjection.state.agents.get(AGENT) ?? null,
    joined: () => zone.projection.state.agents.get(AGENT) ?? null,
    fleetEvents: () => events(FLEET_LOG),
    zoneEvents: () => events(zoneLog('default')),
  };
}

const revoke: FleetCommand = { type: 'RevokeAgent', agentId: AGENT };
const enable: ZoneCommand = {
  type: 'SetAgentSettings',
  agentId: AGENT,
  enabled: true,
  confirm: false,
  ifVersion: null,
};

test('an agent is enrolled when it comes to the bus, and whoever comes in its name needs its secret', async (t) => {
  const { come, say, enrolment, core, fleetEvents } = await house({ approvesItself: false });
  t.is(await come('f1'), 'let in');
  t.like(enrolment(), { fingerprint: 'f1', zone: null });
  t.like(agentsShown(core)[0], { intent: 'pending' });
  const before = fleetEvents().length;
  t.is(await come('f1'), 'let in');
  t.is(await come('f2'), 'AGENT_SECRET_WRONG');
  await say(1);
  t.is(fleetEvents().length, before);
  t.like(enrolment(), { fingerprint: 'f1', zone: null });
});

test('one that needs no operator is approved as it comes, also where a hundred wait', async (t) => {
  const { come, core, joined } = await house();
  for (let index = 0; index < 100; index += 1) {
    const waiting = { type: 'EnrolAgent', agentId: `w-${index}`, hostname: 'w', simulated: false } as const;
    await core.fleet.submit({
      key: `w-${index}`,
      recorded: true,
      actor: ADMIN,
      command: { ...waiting, fingerprint: 'f', expected: false },
    });
  }
  t.is(await come('f1'), 'let in');
  t.truthy(joined());
});

test('whoever was enrolled without a fingerprint is whoever shows the first, and stays approved', async (t) => {
  const { say, come, enrolment } = await house();
  await say(1);
  t.like(enrolment(), { fingerprint: null, zone: 'default' });
  t.is(await come('f1'), 'let in');
  t.like(enrolment(), { fingerprint: 'f1', zone: 'default' });
  t.is(await come('f2'), 'AGENT_SECRET_WRONG');
});

test('an old check-in enrols nobody: the last word of an agent that is gone stands in its stream for days', async (t) => {
  const { say, enrolment, troubles } = await house();
  await say(1, 3_600_000);
  t.is(enrolment(), null);
  t.deepEqual(troubles, []);
});

test('a revoked agent is disabled in its zone by the system, whoever enables it again, and is not heard', async (t) => {
  const { say, fleet, zoneAsked, joined, second, zoneEvents, core } = await house();
  await say(1);
  await say(2);
  await say(3);
  t.like(joined(), { connectivity: 'online', enabled: true });
  await fleet(revoke);
  t.false(joined()?.enabled);
  t.like(zoneEvents().at(-1), {
    type: 'AgentDisabled',
    actor: { kind: 'system', id: 'muster' },
    reason: 'revoked',
  });
  await zoneAsked(enable);
  t.true(joined()?.enabled);
  await second();
  t.false(joined()?.enabled);
  const before = zoneEvents().length;
  const heard = core.fleetProjection.heard.get(AGENT)?.checkIn.seq;
  for (let seq = 10; seq < 80; seq += 1) await say(seq);
  t.is(core.fleetProjection.heard.get(AGENT)?.checkIn.seq, heard);
  t.deepEqual(
    zoneEvents()
      .slice(before)
      .map(({ type }) => type),
    ['AgentWentLate', 'AgentWentMissing'],
    'it speaks every second, and is missing all the same',
  );
});

test('a pending agent that was revoked is not approved by the gateway itself', async (t) => {
  const { say, fleet, enrolment, fleetEvents } = await house();
  await fleet({
    type: 'EnrolAgent',
    agentId: AGENT,
    hostname: AGENT,
    simulated: false,
    fingerprint: null,
    expected: false,
  });
  await fleet(revoke);
  const before = fleetEvents().length;
  await say(1);
  t.is(fleetEvents().length, before);
  t.like(enrolment(), { zone: null });
});

test('a revoked agent that has left its zone does not join it again; once removed it begins anew, as somebody else', async (t) => {
  const { core, come, say, fleet, zoneAsked, joined, second, enrolment, zoneEvents } = await house();
  await come('f1');
  for (const seq of [1, 2, 3]) await say(seq);
  await fleet(revoke);
  t.is(await come('f1'), 'AGENT_REVOKED');
  const approval = enrolment()?.approval ?? '';
  t.is(await zoneAsked({ type: 'LeaveAgent', agentId: AGENT, approval }), 'accepted');
  await second();
  t.is(joined(), null);
  t.is(zoneEvents().at(-1)?.type, 'AgentLeft');
  t.is(
    await fleet({ type: 'RemoveAgent', agentId: AGENT, left: null }),
    'STALE',
    'as who has not heard of its approval asks',
  );
  t.is(await fleet({ type: 'RemoveAgent', agentId: AGENT, left: approval }), 'accepted');
  t.is(enrolment(), null);
  t.deepEqual([core.history.size, core.fleetProjection.heard.size], [0, 0]);
  await say(4, 60_000);
  t.is(enrolment(), null, 'its last words are still in the stream of check-ins');
  await say(5);
  t.is(enrolment(), null, 'and one of them was just under way');
  t.is(await come('f2'), 'let in');
  for (const seq of [1, 2, 3]) await say(seq);
  t.like(enrolment(), { fingerprint: 'f2', revokedAt: null });
  t.like(joined(), { connectivity: 'online', enabled: true });
});

test('what an agent goes on to say between its removal and its being thrown out does not enrol it anew', async (t) => {
  for (const standing of ['pending', 'revoked'] as const) {
    const { come, say, fleet, zoneAsked, enrolment } = await house({ approvesItself: standing === 'revoked' });
    await come('f1');
    await say(1);
    const approval = enrolment()?.approval ?? null;
    if (approval !== null) {
      await fleet(revoke);
      await zoneAsked({ type: 'LeaveAgent', agentId: AGENT, approval });
    }
    t.is(await fleet({ type: 'RemoveAgent', agentId: AGENT, left: approval }), 'accepted');
    for (const seq of [2, 3, 4]) await say(seq);
    t.is(enrolment(), null, standing);
    t.is(await come('f2'), 'let in');
    t.like(enrolment(), { fingerprint: 'f2' });
  }
});
