import test from 'ava';
import type { ZoneFact } from '../../domain/events.ts';
import {
  ENGINE_DOWN,
  GIB,
  aPlacedSession,
  aSession,
  aStop,
  aWaitingSession,
  agentIn,
  anAgent,
  given,
  observed,
  said,
} from '../support/builders.ts';

const stop = { type: 'StopSession', sessionId: 's-1', cause: 'USER' } as const;
const onAgent = { sessionId: 's-1', agentId: 'agent-1' };
const ended = { type: 'SessionEnded', data: { ...onAgent, cause: 'USER', exitCode: null } } as const;

test('a session holds its claim in every phase from its placement on, and none while it waits', (t) => {
  const held = { millicores: 1000, memoryBytes: GIB, gpus: new Map() };
  const starting = [{ type: 'SessionStarting', data: onAgent }] as const;
  const phases = {
    placed: [aPlacedSession()],
    starting: [aPlacedSession(), starting],
    running: [aSession()],
    stopping: [aSession(), aStop()],
    missing: [aSession(), [{ type: 'AgentWentMissing', data: { agentId: 'agent-1', silentSeconds: 60 } }]],
  } as const;
  for (const [phase, commits] of Object.entries(phases)) {
    t.deepEqual(agentIn(given(anAgent(), ...commits).state).allocated, held, phase);
  }
  const waiting = given(anAgent(), aWaitingSession());
  t.is(agentIn(waiting.state).allocated.millicores, 0);
});

test('stopping only withdraws a placed session; a waiting one leaves the line at once', (t) => {
  const stopped = given(anAgent(), aSession()).when(stop);
  stopped.expect(t, [{ type: 'SessionStopRequested', data: { ...onAgent, cause: 'USER', exitCode: null } }]);
  t.is(agentIn(stopped.state).allocated.millicores, 1000);
  const waiting = given(anAgent(), aWaitingSession()).when(stop);
  waiting.expect(t, [{ type: 'SessionCancelled', data: { sessionId: 's-1', cause: 'USER' } }]);
  t.deepEqual(waiting.state.line, []);
  given(anAgent(), aSession(), aStop()).when(stop).expect(t, []);
  given(anAgent()).when(stop).refused(t, 'SESSION_UNKNOWN');
});

test('a claim is released by a check-in at or past the withdrawing version that shows the container ended or absent', (t) => {
  const stopping = given(anAgent(), aSession(), aStop());
  const version = 3;
  const released = stopping.when(said({ appliedVersion: version }));
  released.expect(t, [ended]);
  t.deepEqual(agentIn(released.state).allocated, { millicores: 0, memoryBytes: 0, gpus: new Map() });
  for (const status of ['exited', 'gone', 'failed'] as const) {
    stopping.when(said({ appliedVersion: version, sessions: [observed(status)] })).expect(t, [ended]);
  }
  stopping
    .when(said({ appliedVersion: version, sessions: [observed('exited', { exitCode: 143 })] }))
    .expect(t, [{ ...ended, data: { ...ended.data, exitCode: 143 } }]);
});

test('a check-in from before the withdrawal proves nothing, nor does one that still shows the container', (t) => {
  const stopping = given(anAgent(), aSession(), aStop());
  stopping.when(said({ appliedVersion: 2 })).expect(t, []);
  stopping.when(said({ appliedVersion: 2, sessions: [observed('exited')] })).expect(t, []);
  for (const status of ['running', 'paused', 'starting', 'pulling'] as const) {
    stopping.when(said({ appliedVersion: 3, sessions: [observed(status)] })).expect(t, []);
  }
});

test('with the container engine down nothing is proven about any session', (t) => {
  const { facts, state } = given(anAgent(), aSession(), aStop()).when(said({ appliedVersion: 3, engine: ENGINE_DOWN }));
  t.deepEqual(
    facts.map(({ type }) => type),
    ['AgentConditionRaised'],
  );
  t.true(state.sessions.has('s-1'));
});

test('a check-in about another log proves nothing about this one', (t) => {
  given(anAgent(), aSession(), aStop())
    .when(said({ appliedVersion: 3, logId: 'log-2' }))
    .expect(t, []);
});

test('an absent container of a session that nobody withdrew changes nothing: it may not have been started yet', (t) => {
  given(anAgent(), aPlacedSession())
    .when(said({ appliedVersion: 2 }))
    .expect(t, []);
});

test('a container that exits, is killed for memory, vanishes or fails to start withdraws its session with the cause', (t) => {
  const running = given(anAgent(), aSession());
  const withdrawn = (cause: 'EXITED' | 'OOM_KILLED' | 'CONTAINER_GONE', exitCode: number | null) =>
    [{ type: 'SessionStopRequested', data: { ...onAgent, cause, exitCode } }] as const;
  const see = (...[status, change]: Parameters<typeof observed>) => said({ sessions: [observed(status, change)] });
  running.when(see('exited', { exitCode: 3 })).expect(t, withdrawn('EXITED', 3));
  running.when(see('exited', { exitCode: 137, oomKilled: true })).expect(t, withdrawn('OOM_KILLED', 137));
  running.when(see('gone')).expect(t, withdrawn('CONTAINER_GONE', null));
  const failure = { code: 'IMAGE_NOT_FOUND', detail: 'no such image' };
  const failed = given(anAgent(), aPlacedSession()).when(see('failed', { failure }));
  failed.expect(t, [{ type: 'SessionStartFailed', data: { ...onAgent, ...failure } }]);
  t.is(agentIn(failed.state).allocated.millicores, 1000, 'it holds its claim until evidence');
});

test('why a session ended is what withdrew it first', (t) => {
  const exited = given(anAgent(), aSession(), aStop()).when(
    said({ appliedVersion: 3, sessions: [observed('exited', { exitCode: 137, oomKilled: true })] }),
  );
  exited.expect(t, [{ ...ended, data: { ...ended.data, exitCode: 137 } }]);
});

test('the progress of a start is recorded once', (t) => {
  const placed = given(anAgent(), aPlacedSession());
  const starting = placed.when(said({ sessions: [observed('pulling')] }));
  starting.expect(t, [{ type: 'SessionStarting', data: onAgent }]);
  const running = said({ sessions: [observed('running')] });
  placed
    .when(running)
    .expect(t, [
      { type: 'SessionStarted', data: { ...onAgent, containerId: 'c-1', imageDigest: null, endpoints: [] } },
    ]);
  const imageDigest = `sha256:${'a'.repeat(64)}`;
  placed
    .when(said({ sessions: [observed('running', { imageDigest })] }))
    .expect(t, [{ type: 'SessionStarted', data: { ...onAgent, containerId: 'c-1', imageDigest, endpoints: [] } }]);
  given(anAgent(), aPlacedSession(), starting.facts)
    .when(said({ sessions: [observed('starting')] }))
    .expect(t, []);
  given(anAgent(), aSession()).when(running).expect(t, []);
  given(anAgent(), aSession())
    .when(said({ sessions: [observed('paused')] }))
    .expect(t, []);
});

test('a repeated check-in changes nothing more', (t) => {
  const command = said({ appliedVersion: 3, sessions: [observed('exited')] });
  const first = given(anAgent(), aSession(), aStop()).when(command);
  given(anAgent(), aSession(), aStop(), first.facts).when(command).expect(t, []);
});

test('the agent’s document changes with placement, start and withdrawal, and not with the end', (t) => {
  const versionAfter = (...commits: readonly (readonly ZoneFact[])[]) =>
    agentIn(given(...commits).state).desiredVersion;
  t.is(versionAfter(anAgent()), 1);
  t.is(versionAfter(anAgent(), aPlacedSession()), 2);
  t.is(versionAfter(anAgent(), aSession(), aStop()), 3);
  t.is(versionAfter(anAgent(), aSession(), aStop(), [ended]), 3);
});
