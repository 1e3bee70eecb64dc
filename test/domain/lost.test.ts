import test from 'ava';
import type { ZoneFact } from '../../domain/events.ts';
import type { ZoneCommand } from '../../domain/zone/commands.ts';
import {
  ENGINE_DOWN,
  aGpu,
  aRequest,
  aSession,
  aStop,
  aTick,
  aWaitingSession,
  agentIn,
  anAgent,
  anImage,
  given,
  gpus,
  observed,
  said,
} from '../support/builders.ts';

const declare: ZoneCommand = { type: 'DeclareAgentLost', agentId: 'agent-1' };
const gone: ZoneFact = { type: 'AgentWentMissing', data: { agentId: 'agent-1', silentSeconds: 60 } };
const lost = (sessions: number): ZoneFact => ({ type: 'AgentDeclaredLost', data: { agentId: 'agent-1', sessions } });
const NOTHING_HELD = { millicores: 0, memoryBytes: 0, gpus: new Map() };

test('declaring a missing agent lost is one event, however many sessions end by it, and releases every claim', (t) => {
  const agent = anAgent({ cores: 64, gib: 64, gpus: [aGpu(0), aGpu(1)] });
  const sessions = [
    ...Array.from({ length: 20 }, (_, index) => aSession({ id: `s-${index}` })).flat(),
    ...aSession({ id: 's-gpu', gpuUuids: ['GPU-0', 'GPU-1'] }),
    ...aStop('s-0'),
  ];
  const declared = given(agent, sessions, [gone]).when(declare);
  declared.expect(t, [lost(21)]);
  const after = agentIn(declared.state);
  t.deepEqual(after.allocated, NOTHING_HELD);
  t.is(after.sessions.size, 0);
  t.is(after.connectivity, 'lost');
  t.is(after.desiredVersion, 4, 'its document holds none of them from this version on');
  t.is(declared.state.sessions.size, 0);
});

test('only a missing agent may be declared lost; for every other the refusal says what to do', (t) => {
  const advice = {
    never: /nothing to give up/,
    online: /disable it and stop its sessions instead/,
    late: /wait until it is missing/,
  } as const;
  for (const [connectivity, words] of Object.entries(advice) as [keyof typeof advice, RegExp][]) {
    const refused = given(anAgent({ connectivity })).when(declare);
    refused.refused(t, 'AGENT_NOT_MISSING');
    t.regex(refused.rejection?.message ?? '', words);
  }
  given(anAgent()).when({ type: 'DeclareAgentLost', agentId: 'nobody' }).refused(t, 'AGENT_UNKNOWN');
});

test('declaring it lost once more changes nothing', (t) => {
  given(anAgent({ connectivity: 'lost' }))
    .when(declare)
    .expect(t, []);
});

test('what an agent held is free for those that wait as soon as it is declared lost', (t) => {
  const agents = [...anAgent({ cores: 2 }), ...anAgent({ id: 'agent-2', cores: 1 })];
  const elsewhere = aSession({ id: 's-2', on: 'agent-2' });
  const line = aWaitingSession({ id: 's-3' });
  const before = given(agents, [...aSession(), ...elsewhere], line, [gone]);
  const { state } = before.when(declare);
  t.true(state.chances > before.state.chances, 'the line is tried again');
  before.when({ type: 'PlaceWaiting' }).expect(t, []);
});

test('a lost agent takes nothing, and the reason says that it was declared lost', (t) => {
  const { explanation } = given(anAgent({ connectivity: 'lost' })).when(aRequest());
  const [reason] = explanation?.candidates[0]?.reasons ?? [];
  t.is(reason?.code, 'AGENT_MISSING');
  t.is(reason?.sentence, 'it was declared lost');
});

test('a lost agent that comes back is a candidate only when it has removed what the log ended', (t) => {
  const away = given(anAgent(), aSession(), [gone], [lost(1)]);
  const leftover = [observed('running')];
  for (const appliedVersion of [2, 4]) {
    away.when(said({ appliedVersion, sessions: leftover })).expect(t, []);
  }
  away.when(said({ appliedVersion: 2 })).expect(t, []);
  const back = away.when(said({ appliedVersion: 4 }));
  back.expect(t, [{ type: 'AgentReturned', data: { agentId: 'agent-1', from: 'lost' } }]);
  t.is(agentIn(back.state).connectivity, 'online');
  t.is(agentIn(back.state).silentSince, null);
});

test('a lost agent that comes back without its engine is there, and takes nothing before it has caught up', (t) => {
  const { facts, state } = given(anAgent(), aSession(), [gone], [lost(1)]).when(
    said({ appliedVersion: 2, engine: ENGINE_DOWN }),
  );
  t.deepEqual(
    facts.map(({ type }) => type),
    ['AgentConditionRaised', 'AgentReturned'],
  );
  t.true(agentIn(state).conditions.has('DOCKER_DOWN'));
});

test('an operator’s settings of an agent survive its loss and its return', (t) => {
  const agent = anAgent({ coresOverride: 12, gibOverride: 12, enabled: false });
  const before = agentIn(given(agent).state);
  const after = agentIn(given(agent, [gone], [lost(0)]).when(said({ appliedVersion: 3 })).state);
  for (const key of ['coresOverride', 'memoryOverride', 'enabled', 'settingsVersion', 'hardware'] as const) {
    t.deepEqual(after[key], before[key], key);
  }
});

test('a device of a lost agent may be claimed again once the agent is back', (t) => {
  const image = anImage({ gpu: gpus(1) });
  const held = given(anAgent({ gpus: [aGpu(0)] }), aSession({ gpuUuids: ['GPU-0'] }), [gone], [lost(1)]);
  t.is(held.when(aRequest({ sessionId: 's-2', image })).explanation?.decision, 'waiting');
  const back: ZoneFact = { type: 'AgentReturned', data: { agentId: 'agent-1', from: 'lost' } };
  const { state } = given(
    anAgent({ gpus: [aGpu(0)] }),
    aSession({ gpuUuids: ['GPU-0'] }),
    [gone],
    [lost(1)],
    [back],
  ).when(aRequest({ sessionId: 's-2', image }));
  t.is(agentIn(state).allocated.gpus.get('GPU-0'), 's-2');
});

test('a timer declares lost what is missing, and nothing else', (t) => {
  const silences = [{ agentId: 'agent-1', seconds: 3600, to: 'lost' }] as const;
  given(anAgent(), aSession(), [gone])
    .when(aTick({ silences }))
    .expect(t, [lost(1)]);
  for (const connectivity of ['never', 'online', 'late', 'lost'] as const) {
    given(anAgent({ connectivity })).when(aTick({ silences })).expect(t, []);
  }
});

test('while a partition is suspected no timer declares anything lost; by hand it can be done', (t) => {
  const rack = Array.from({ length: 5 }, (_, index) => `agent-${index + 1}`);
  const joined = rack.map((id) => anAgent({ id }));
  const cut = rack.slice(0, 2).map((agentId): ZoneFact => ({
    type: 'AgentWentMissing',
    data: { agentId, silentSeconds: 60 },
  }));
  const partitioned = given(...joined, cut);
  const silences = rack.slice(0, 2).map((agentId) => ({ agentId, seconds: 3600, to: 'lost' }) as const);
  partitioned.when(aTick({ silences })).expect(t, []);
  partitioned.when(declare).expect(t, [lost(0)]);
  const healed: ZoneFact = { type: 'AgentReturned', data: { agentId: 'agent-2', from: 'missing' } };
  given(...joined, cut, [healed])
    .when(aTick({ silences }))
    .expect(t, [lost(0)]);
});
