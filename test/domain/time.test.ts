import test from 'ava';
import { suspectedPartition } from '../../domain/agents/partition.ts';
import type { ZoneFact } from '../../domain/events.ts';
import { evolveZone } from '../../domain/zone/evolve.ts';
import { initialZone } from '../../domain/zone/state.ts';
import { isoTime } from '../../infra/clock.ts';
import {
  aPlacedSession,
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

const START = Date.UTC(2026, 0, 1);
const WINDOW_SECONDS = 30;

/** A zone of so many agents online, of which some went late: each `[seconds after the start, seconds of silence]`. */
function zoneOf(agents: number, silences: readonly (readonly [number, number])[]) {
  const state = initialZone();
  for (let index = 0; index < agents; index += 1) {
    for (const fact of anAgent({ id: `agent-${index}` })) {
      evolveZone(state, fact, { version: 1, time: isoTime(START) });
    }
  }
  for (const [index, [after, silentSeconds]] of silences.entries()) {
    const fact: ZoneFact = { type: 'AgentWentLate', data: { agentId: `agent-${index}`, silentSeconds } };
    evolveZone(state, fact, { version: 2, time: isoTime(START + after * 1000) });
  }
  return state;
}

const atOnce = (agents: number, silent: number) =>
  suspectedPartition(
    zoneOf(
      agents,
      Array.from({ length: silent }, () => [60, 30] as const),
    ).agents.values(),
    WINDOW_SECONDS,
  );

test('a partition is suspected when more than a fifth of the agents, and at least two, fell silent at once', (t) => {
  t.deepEqual(atOnce(40, 9), { silent: 9, expected: 40 });
  t.is(atOnce(40, 8), null, 'exactly a fifth');
  t.is(atOnce(1, 1), null, 'one agent is a host that failed');
  t.is(atOnce(3, 1), null);
  t.deepEqual(atOnce(2, 2), { silent: 2, expected: 2 });
  t.is(atOnce(0, 0), null);
});

test('agents that fell silent one after another are hosts that failed, however many', (t) => {
  const slowly = Array.from({ length: 5 }, (_, index) => [100 + index * 31, 30] as const);
  t.is(suspectedPartition(zoneOf(10, slowly).agents.values(), WINDOW_SECONDS), null);
  const twoBursts = [...slowly.slice(0, 2), [300, 30], [310, 40], [320, 30]] as const;
  t.deepEqual(suspectedPartition(zoneOf(10, twoBursts).agents.values(), WINDOW_SECONDS), { silent: 3, expected: 10 });
});

test('what counts is when each was last heard, not when that was noticed', (t) => {
  const noticedLate = [
    [60, 30],
    [600, 565],
  ] as const;
  t.deepEqual(suspectedPartition(zoneOf(4, noticedLate).agents.values(), WINDOW_SECONDS), { silent: 2, expected: 4 });
});

test('agents that were never heard, or declared lost, are not expected to speak', (t) => {
  const state = zoneOf(
    9,
    Array.from({ length: 2 }, () => [60, 30] as const),
  );
  t.deepEqual(suspectedPartition(state.agents.values(), WINDOW_SECONDS), { silent: 2, expected: 9 });
  const at = { version: 3, time: isoTime(START + 60_000) };
  for (const fact of anAgent({ id: 'new', connectivity: 'never' })) evolveZone(state, fact, at);
  for (const type of ['AgentWentMissing', 'AgentDeclaredLost'] as const) {
    const data = { agentId: 'agent-0', silentSeconds: 60, sessions: 0 };
    evolveZone(state, { type, data }, at);
  }
  t.is(suspectedPartition(state.agents.values(), WINDOW_SECONDS), null, '1 of 8');
});

test('silence lasts until the return: going from late to missing does not begin it anew', (t) => {
  const state = zoneOf(1, [[60, 30]]);
  t.is(agentIn(state, 'agent-0').silentSince, isoTime(START + 30_000));
  const data = { agentId: 'agent-0', silentSeconds: 60 };
  evolveZone(state, { type: 'AgentWentMissing', data }, { version: 3, time: isoTime(START + 90_000) });
  t.is(agentIn(state, 'agent-0').silentSince, isoTime(START + 30_000));
});

test('a time before the log’s last event brings nothing', (t) => {
  const waiting = given(aWaitingSession({ maxWaitSeconds: 0 }), anAgent(), aPlacedSession({ id: 's-2' }));
  const tick = aTick({ silences: [{ agentId: 'agent-1', seconds: 60, to: 'missing' }], overdueStarts: ['s-2'] });
  waiting.when(tick, isoTime(START - 1)).expect(t, []);
  t.is(waiting.when(tick, isoTime(START)).facts.length, 3);
});

test('a session that did not start in time is withdrawn and keeps its claim until its agent shows what became of it', (t) => {
  const starting: ZoneFact = { type: 'SessionStarting', data: { sessionId: 's-1', agentId: 'agent-1' } };
  for (const progress of [[], [starting]]) {
    const placed = given(anAgent(), aPlacedSession(), progress);
    const overdue = placed.when(aTick({ overdueStarts: ['s-1'] }));
    overdue.expect(t, [
      {
        type: 'SessionStopRequested',
        data: { sessionId: 's-1', agentId: 'agent-1', cause: 'START_TIMEOUT', exitCode: null },
      },
    ]);
    t.is(agentIn(overdue.state).allocated.millicores, 1000);
    const shown = given(anAgent(), aPlacedSession(), progress, overdue.facts);
    shown.when(said({ appliedVersion: 3 })).expect(t, []);
    shown.when(said({ appliedVersion: 4, sessions: [observed('pulling')] })).expect(t, []);
    shown.when(said({ appliedVersion: 4 })).expect(t, [
      {
        type: 'SessionEnded',
        data: { sessionId: 's-1', agentId: 'agent-1', cause: 'START_TIMEOUT', exitCode: null },
      },
    ]);
  }
});

test('a session that runs, was withdrawn, waits or is over cannot be late with its start', (t) => {
  const tick = aTick({ overdueStarts: ['s-1', 's-nobody'] });
  given(anAgent(), aSession()).when(tick).expect(t, []);
  given(anAgent(), aPlacedSession(), aStop()).when(tick).expect(t, []);
  given(anAgent(), aWaitingSession()).when(tick).expect(t, []);
});

test('what has not started is remembered from its placement until it runs, is withdrawn or is lost, oldest first', (t) => {
  const ids = ['s-1', 's-2', 's-3', 's-4'];
  const placed = [anAgent({ cores: 8, gib: 8 }), ...ids.map((id) => aPlacedSession({ id }))];
  t.deepEqual([...given(...placed).state.unstarted.keys()], ids);
  const started: ZoneFact = {
    type: 'SessionStarted',
    data: { sessionId: 's-2', agentId: 'agent-1', containerId: 'c', imageDigest: null, endpoints: [] },
  };
  const later = [...placed, [started], aStop('s-3')];
  t.deepEqual([...given(...later).state.unstarted.keys()], ['s-1', 's-4']);
  const lost: ZoneFact = { type: 'AgentDeclaredLost', data: { agentId: 'agent-1', sessions: 4 } };
  t.is(given(...later, [lost]).state.unstarted.size, 0);
});
