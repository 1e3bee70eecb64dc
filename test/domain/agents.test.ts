import test from 'ava';
import type { ZoneFact } from '../../domain/events.ts';
import { approvalAt } from '../../domain/fleet/approval.ts';
import type { ZoneCommand } from '../../domain/zone/commands.ts';
import { desiredDocumentOf } from '../../projections/desired.ts';
import {
  aJoin,
  APPROVAL,
  NOW,
  ENGINE_DOWN,
  aGpu,
  aHardware,
  aPlacedSession,
  aRequest,
  aSession,
  aStop,
  aTick,
  aWaitingSession,
  agentIn,
  anAgent,
  given,
  observed,
  said,
} from '../support/builders.ts';

const silent = (to: 'late' | 'missing', seconds: number): ZoneCommand =>
  aTick({ silences: [{ agentId: 'agent-1', seconds, to }] });
const typesOf = (facts: readonly { readonly type: string }[]) => facts.map(({ type }) => type);

test('an agent that joins is no candidate until it has checked in, caught up', (t) => {
  const joined = given(anAgent({ connectivity: 'never' }));
  t.is(joined.when(aRequest()).explanation?.candidates[0]?.reasons[0]?.code, 'AGENT_PENDING');
  const behind = joined.when(said({ appliedVersion: 0 }));
  t.deepEqual(typesOf(behind.facts), ['AgentBooted', 'AgentHardwareChanged']);
  const caughtUp = joined.when(said({ appliedVersion: 1 }));
  t.deepEqual(typesOf(caughtUp.facts), ['AgentBooted', 'AgentHardwareChanged', 'AgentReturned']);
  t.is(agentIn(caughtUp.state).connectivity, 'online');
});

/** Of a commit of the same time. */
const LATER = approvalAt({ time: NOW, version: 2 });
const join = aJoin('agent-1');
const leave = { type: 'LeaveAgent', agentId: 'agent-1', approval: APPROVAL } as const;
const left: ZoneFact = { type: 'AgentLeft', data: { agentId: 'agent-1', approval: APPROVAL } };

test('joining twice changes nothing', (t) => {
  given()
    .when(join)
    .expect(t, [{ type: 'AgentJoined', data: { agentId: 'agent-1', hostname: 'agent-1', simulated: false } }]);
  given(anAgent()).when(join).expect(t, []);
});

test('an agent that holds nothing leaves, and may join again as a new one; leaving twice changes nothing', (t) => {
  given(anAgent()).when(leave).expect(t, [left]);
  const gone = given(anAgent(), [left]);
  t.is(gone.state.agents.size, 0);
  gone.when(leave).expect(t, []);
  gone.when(said({ appliedVersion: 1 })).expect(t, []);
  t.deepEqual(gone.when(aRequest()).explanation?.candidates, []);
  const again = given(anAgent({ enabled: false }), [left], anAgent({ connectivity: 'never' }));
  t.like(agentIn(again.state), { connectivity: 'never', enabled: true, bootId: null });
});

test('an agent that holds claims does not leave; lost it holds none', (t) => {
  const holding = given(anAgent(), aSession({ id: 's-1' }), aSession({ id: 's-2' })).when(leave);
  holding.refused(t, 'AGENT_HAS_SESSIONS');
  t.deepEqual(holding.rejection?.numbers, { sessions: 2 });
  t.regex(holding.rejection?.message ?? '', /2 sessions; stop them while it is heard, or declare it lost/);
  given(anAgent(), aSession({ id: 's-1' }), aStop('s-1'))
    .when(leave)
    .refused(t, 'AGENT_HAS_SESSIONS');
  const silent: ZoneFact = { type: 'AgentWentMissing', data: { agentId: 'agent-1', silentSeconds: 60 } };
  const lost: ZoneFact = { type: 'AgentDeclaredLost', data: { agentId: 'agent-1', sessions: 1 } };
  given(anAgent(), aSession({ id: 's-1' }), [silent, lost])
    .when(leave)
    .expect(t, [left]);
});

test('an approval that is over brings nobody back, and ends no later membership', (t) => {
  const joined: ZoneFact = { type: 'AgentJoined', data: { agentId: 'agent-1', hostname: 'agent-1', simulated: false } };
  const gone = given(anAgent(), [left]);
  gone.when(join).refused(t, 'STALE');
  gone.when({ ...join, approval: LATER }).expect(t, [joined]);
  // It left before its join had come: that is recorded, so that the join comes too late.
  given().when(leave).expect(t, [left]);
  given([left]).when(join).refused(t, 'STALE');
  const again = given(anAgent(), [left], anAgent({ connectivity: 'never' }));
  again.when(leave).expect(t, []);
  const leftLater: ZoneFact = { type: 'AgentLeft', data: { agentId: 'agent-1', approval: LATER } };
  again.when({ ...leave, approval: LATER }).expect(t, [leftLater]);
});

test('of agents that have left a thousand are remembered, the newest', (t) => {
  const leaves = Array.from({ length: 1001 }, (_, index): ZoneFact => {
    return { type: 'AgentLeft', data: { agentId: `a-${index}`, approval: APPROVAL } };
  });
  const before: ZoneFact = { type: 'AgentLeft', data: { agentId: 'old', approval: null } };
  const { left: remembered } = given(leaves, [before]).state;
  t.is(remembered.size, 1000);
  t.deepEqual(
    ['a-0', 'a-1', 'old'].map((agentId) => remembered.has(agentId)),
    [false, true, false],
  );
});

test('a check-in that changes nothing is no event', (t) => {
  given(anAgent())
    .when(said({ appliedVersion: 1 }))
    .expect(t, []);
  given().when(said({})).expect(t, []);
});

test('a silent agent goes late, then missing, once each', (t) => {
  const late = given(anAgent()).when(silent('late', 30));
  late.expect(t, [{ type: 'AgentWentLate', data: { agentId: 'agent-1', silentSeconds: 30 } }]);
  given(anAgent({ connectivity: 'late' }))
    .when(silent('late', 40))
    .expect(t, []);
  const missing = given(anAgent({ connectivity: 'late' })).when(silent('missing', 60));
  missing.expect(t, [{ type: 'AgentWentMissing', data: { agentId: 'agent-1', silentSeconds: 60 } }]);
  given(anAgent({ connectivity: 'missing' }))
    .when(silent('missing', 90))
    .expect(t, []);
  given(anAgent({ connectivity: 'never' }))
    .when(silent('missing', 90))
    .expect(t, []);
});

test('an agent that was late or missing returns when it has caught up and shows no container of an ended session', (t) => {
  for (const from of ['late', 'missing'] as const) {
    const away = given(anAgent({ connectivity: from }), aSession(), aStop());
    t.deepEqual(away.when(said({ appliedVersion: 2, sessions: [observed('running')] })).facts, [], 'behind');
    const leftover = observed('running', { sessionId: 's-long-gone' });
    t.false(typesOf(away.when(said({ appliedVersion: 3, sessions: [leftover] })).facts).includes('AgentReturned'));
    const { facts } = away.when(said({ appliedVersion: 3 }));
    t.deepEqual(facts.at(-1), { type: 'AgentReturned', data: { agentId: 'agent-1', from } });
  }
});

test('an agent that speaks about another log does not return', (t) => {
  given(anAgent({ connectivity: 'missing' }))
    .when(said({ appliedVersion: 9, logId: 'log-2' }))
    .expect(t, []);
});

test('a new boot supersedes the one before, which never comes back: its process is a clone', (t) => {
  const rebooted = given(anAgent()).when(said({ bootId: 'boot-2' }));
  rebooted.expect(t, [
    {
      type: 'AgentBooted',
      data: { agentId: 'agent-1', bootId: 'boot-2', previousBootId: 'boot-1', agentVersion: '1', observedAt: NOW },
    },
  ]);
  const clone = said({ bootId: 'boot-1', hardware: aHardware({ cores: 99 }), sessions: [observed('exited')] });
  const conflict = given(anAgent(), aSession(), rebooted.facts).when(clone);
  t.deepEqual(typesOf(conflict.facts), ['AgentConditionRaised'], 'nothing else of the clone is believed');
  t.true(agentIn(conflict.state).conditions.has('IDENTITY_CONFLICT'));
  given(anAgent(), aSession(), rebooted.facts, conflict.facts).when(clone).expect(t, []);
  const third = given(anAgent(), aSession(), rebooted.facts, conflict.facts).when(said({ bootId: 'boot-3' }));
  t.deepEqual(typesOf(third.facts), ['AgentBooted', 'AgentConditionCleared']);
});

test('a word of an earlier boot that comes late is no boot and no clone, whether that boot was known or not', (t) => {
  const [at, before] = ['2026-01-01T00:00:00.000Z', '2025-12-31T23:59:57.000Z'];
  const rebooted = given(anAgent()).when(said({ bootId: 'boot-3', observedAt: at }));
  const late = (bootId: string, observedAt: string) =>
    given(anAgent(), rebooted.facts).when(said({ bootId, observedAt, hardware: aHardware({ cores: 99 }) }));
  for (const bootId of ['boot-1', 'boot-2']) late(bootId, before).expect(t, []);
  t.deepEqual(typesOf(late('boot-1', at).facts), ['AgentConditionRaised'], 'one that goes on speaking is a clone');
});

test('a host whose clock was set back far is heard all the same', (t) => {
  const rebooted = given(anAgent()).when(said({ bootId: 'boot-2', observedAt: '2025-06-01T00:00:00.000Z' }));
  t.deepEqual(typesOf(rebooted.facts), ['AgentBooted']);
});

test('the last 256 boots that were superseded are remembered: none of them comes back', (t) => {
  const boots = Array.from({ length: 300 }, (_, index): ZoneFact => ({
    type: 'AgentBooted',
    data: { agentId: 'agent-1', bootId: `b-${index}`, previousBootId: null, agentVersion: '1', observedAt: NOW },
  }));
  const { state, when } = given(anAgent(), boots);
  t.is(agentIn(state).supersededBoots.size, 256);
  for (const bootId of ['b-43', 'b-298']) {
    t.deepEqual(typesOf(when(said({ bootId })).facts), ['AgentConditionRaised']);
  }
});

test('an agent ahead of the log shows that the log was restored: nothing is concluded from it, and it takes nothing', (t) => {
  const ahead = said({ appliedVersion: 4, sessions: [] });
  const stopping = given(anAgent(), aSession(), aStop());
  const { facts, state } = stopping.when(ahead);
  t.deepEqual(typesOf(facts), ['AgentConditionRaised']);
  t.true(agentIn(state).conditions.has('LOG_REWOUND'));
  t.true(state.sessions.has('s-1'));
  t.is(desiredDocumentOf(state, 'agent-1', 'log-1'), null, 'no document, which is not an empty one');
  const rewound = given(anAgent(), aSession(), aStop(), facts);
  const [reason] = rewound.when(aRequest({ sessionId: 's-2' })).explanation?.candidates[0]?.reasons ?? [];
  t.is(reason?.code, 'AGENT_PENDING');
  t.regex(reason?.sentence ?? '', /restored from an older backup/);
});

test('a log that has grown past a rewound agent still ends nothing there that the backup did not know', (t) => {
  const { facts } = given(anAgent(), aSession()).when(said({ appliedVersion: 9 }));
  const rewound = given(anAgent(), aSession(), facts, ...Array.from({ length: 10 }, () => anAgent({ id: 'agent-2' })));
  t.true(rewound.version > 9);
  const unknown = observed('running', { sessionId: 's-after-the-backup' });
  for (const sessions of [[unknown], [observed('running'), { ...unknown, status: 'exited' as const }]]) {
    rewound.when(said({ appliedVersion: 9, sessions })).expect(t, []);
  }
  rewound.when(said({ appliedVersion: 9, engine: ENGINE_DOWN })).expect(t, [
    {
      type: 'AgentConditionRaised',
      data: { agentId: 'agent-1', condition: 'DOCKER_DOWN', detail: 'no answer', mend: 'start it' },
    },
  ]);
  const lookedAfter = said({ appliedVersion: 9, sessions: [observed('running'), { ...unknown, status: 'gone' }] });
  const { facts: cleared, state } = rewound.when(lookedAfter);
  t.deepEqual(cleared, [{ type: 'AgentConditionCleared', data: { agentId: 'agent-1', condition: 'LOG_REWOUND' } }]);
  t.is(desiredDocumentOf(state, 'agent-1', 'log-1')?.version, rewound.version + 1, 'it obeys only what is newer');
});

test('a container engine that goes down and a device that fails are conditions, raised and cleared once', (t) => {
  const down = given(anAgent()).when(said({ engine: ENGINE_DOWN }));
  down.expect(t, [
    {
      type: 'AgentConditionRaised',
      data: { agentId: 'agent-1', condition: 'DOCKER_DOWN', detail: 'no answer', mend: 'start it' },
    },
  ]);
  const up = given(anAgent({ engineDown: true }));
  up.when(said({ engine: ENGINE_DOWN })).expect(t, []);
  const version = up.state.agents.get('agent-1')?.desiredVersion ?? 0;
  up.when(said({ appliedVersion: version - 1 })).expect(t, []);
  up.when(said({ appliedVersion: version })).expect(t, [
    { type: 'AgentConditionCleared', data: { agentId: 'agent-1', condition: 'DOCKER_DOWN' } },
  ]);
  const hardware = aHardware({ gpus: [aGpu(0, { health: 'failed' })] });
  const failed = given(anAgent({ gpus: [aGpu(0)] })).when(said({ hardware }));
  t.deepEqual(typesOf(failed.facts), ['AgentHardwareChanged', 'AgentConditionRaised']);
});

test('an agent whose engine is down is online, and takes nothing until the engine is back and it has caught up', (t) => {
  const joined = given([{ type: 'AgentJoined', data: { agentId: 'agent-1', hostname: 'agent-1', simulated: false } }]);
  const { facts } = joined.when(said({ logId: null, engine: ENGINE_DOWN }));
  t.true(typesOf(facts).includes('AgentReturned'));
  t.true(typesOf(facts).includes('AgentConditionRaised'));
});

test('a session that has waited as long as it was asked to is cancelled', (t) => {
  const waiting = given(aWaitingSession({ maxWaitSeconds: 60 }), aWaitingSession({ id: 's-2' }));
  waiting.when(aTick(), '2026-01-01T00:00:59.999Z').expect(t, []);
  waiting
    .when(aTick(), '2026-01-01T00:01:00.000Z')
    .expect(t, [{ type: 'SessionCancelled', data: { sessionId: 's-1', cause: 'WAIT_TIMEOUT' } }]);
});

test('a tick of time brings at most 128 events; the rest comes due at the next', (t) => {
  const line = Array.from({ length: 200 }, (_, index) => aWaitingSession({ id: `s-${index}`, maxWaitSeconds: 1 }));
  const first = given(...line).when(aTick(), '2026-01-01T01:00:00.000Z');
  t.is(first.facts.length, 128);
  t.is(first.state.line.length, 72);
});

test('one check-in proves at most 200 things; the next one proves the rest', (t) => {
  const ids = Array.from({ length: 250 }, (_, index) => `s-${index}`);
  const placed = ids.map((id) => aPlacedSession({ id, cores: 0.001, gib: 0.001 }));
  const sessions = ids.map((sessionId) => observed('starting', { sessionId }));
  const first = given(anAgent(), ...placed).when(said({ sessions }));
  t.is(first.facts.length, 200);
  const second = given(anAgent(), ...placed, first.facts).when(said({ sessions }));
  t.is(second.facts.length, 50);
});
