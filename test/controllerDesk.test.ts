import test from 'ava';
import type { CheckIn } from '../domain/checkIn.ts';
import type { DesiredDocument } from '../domain/desired.ts';
import type { AdvanceTime, ZoneCommand } from '../domain/zone/commands.ts';
import type { ZoneState } from '../domain/zone/state.ts';
import { CheckInDesk } from '../gateway/controller/checkInDesk.ts';
import { DesiredWriter } from '../gateway/controller/desiredWriter.ts';
import { ControllerUnavailable, type Submission } from '../gateway/controller/machine.ts';
import type { Patience } from '../gateway/controller/silence.ts';
import { NOW, aCheckIn, aPlacedSession, aTick, aWaitingSession, anAgent, given } from './support/builders.ts';
import { settleDown } from './support/controllerRig.ts';
import { manualClock } from './support/manualClock.ts';

const PATIENCE: Patience = { checkInSeconds: 10, startTimeoutSeconds: 1800, lostAfterSeconds: null };

/** A listening desk before a controller that keeps what it is given until it is let go. */
function deskRig(state: ZoneState = given(anAgent()).state, patience: Partial<Patience> = {}) {
  const clock = manualClock(Date.UTC(2026, 0, 1));
  const submitted: Submission<ZoneCommand>[] = [];
  const troubles: string[] = [];
  const open: (() => void)[] = [];
  let failing = false;
  const submit = async (submission: Submission<ZoneCommand>) => {
    submitted.push(submission);
    const { promise, resolve } = Promise.withResolvers<void>();
    open.push(resolve);
    await promise;
    if (failing) throw new ControllerUnavailable('away');
  };
  const desk = new CheckInDesk({
    clock,
    patience: { ...PATIENCE, ...patience },
    state: () => state,
    submit,
    onTrouble: (sentence) => troubles.push(sentence),
  });
  desk.freshWindow();
  const said = () =>
    submitted.flatMap(({ command }) => (command.type === 'RecordCheckIn' ? [command.checkIn.seq] : []));
  const tick = async () => {
    const before = submitted.length;
    const ticked = desk.tick();
    await settleDown();
    await letGo();
    await ticked;
    return submitted[before] ?? null;
  };
  /** Lets so many seconds pass with their ticks; what they submitted, and after how many seconds each. */
  const pass = async (seconds: number) => {
    const came: (readonly [number, AdvanceTime])[] = [];
    for (let second = 1; second <= seconds; second += 1) {
      await clock.advance(1000);
      const advanced = await tick();
      if (advanced?.command.type === 'AdvanceTime') came.push([second, advanced.command]);
    }
    return came;
  };
  const letGo = async () => {
    for (const resolve of open.splice(0)) resolve();
    await settleDown();
  };
  return { clock, desk, said, tick, pass, letGo, submitted, troubles, fail: () => (failing = true) };
}

const silentFor = (seconds: number, to: 'late' | 'missing') =>
  aTick({ silences: [{ agentId: 'agent-1', seconds, to }] });
const seq = (number: number, change: Partial<CheckIn> = {}) => aCheckIn({ seq: number, ...change });

test('a check-in that comes out of order within its boot is dropped; a new boot begins again', (t) => {
  const { desk } = deskRig();
  t.true(desk.receive(seq(2)));
  t.false(desk.receive(seq(2)));
  t.false(desk.receive(seq(1)));
  t.true(desk.receive(seq(3)));
  t.true(desk.receive(seq(1, { bootId: 'boot-2' })));
});

test('of an agent one check-in is being decided and the newest waits; those in between are nobody’s loss', async (t) => {
  const { desk, said, letGo } = deskRig();
  for (const number of [1, 2, 3, 4]) desk.receive(seq(number));
  t.deepEqual(said(), [1]);
  await letGo();
  t.deepEqual(said(), [1, 4]);
  await letGo();
  desk.receive(seq(5));
  t.deepEqual(said(), [1, 4, 5]);
});

test('a check-in that the controller could not take is followed by the next', async (t) => {
  const { desk, said, letGo, fail } = deskRig();
  fail();
  desk.receive(seq(1));
  await letGo();
  desk.receive(seq(2));
  t.deepEqual(said(), [1, 2]);
});

/** An agent whose boot `boot-1` was superseded by `boot-2`. */
const REBOOTED = [
  ...anAgent(),
  {
    type: 'AgentBooted',
    data: { agentId: 'agent-1', bootId: 'boot-2', previousBootId: 'boot-1', agentVersion: '1', observedAt: NOW },
  },
] as const;

test('a process that was replaced is told to the decider and not heard: its agent falls silent all the same', async (t) => {
  const { clock, desk, tick, said, letGo } = deskRig(given(REBOOTED).state);
  for (let second = 1; second <= 30; second += 1) {
    await clock.advance(1000);
    t.false(desk.receive(seq(second)));
    const advanced = await tick();
    if (second < 30) t.is(advanced?.command.type === 'AdvanceTime', false);
    else t.deepEqual(advanced?.command, silentFor(30, 'late'));
  }
  t.is(said()[0], 1);
  await letGo();
});

test('a process that was replaced never takes the turn of the real one, and is told once', async (t) => {
  const { desk, said, letGo } = deskRig(given(REBOOTED).state);
  const real = (number: number) => seq(number, { bootId: 'boot-2' });
  t.true(desk.receive(real(10)));
  t.true(desk.receive(real(11)));
  t.false(desk.receive(seq(90)));
  t.false(desk.receive(seq(91)));
  t.deepEqual(said(), [10, 90], 'one of each is being decided');
  await letGo();
  t.deepEqual(said(), [10, 90, 11]);
  const conflict = { condition: 'IDENTITY_CONFLICT', detail: 'two', mend: 'stop one' } as const;
  const known = deskRig(
    given(REBOOTED, [{ type: 'AgentConditionRaised', data: { agentId: 'agent-1', ...conflict } }]).state,
  );
  t.false(known.desk.receive(seq(92)));
  t.deepEqual(known.said(), [], 'the log has it already');
});

test('an agent is late after three intervals of silence and missing after six', async (t) => {
  const { desk, pass } = deskRig();
  desk.receive(seq(1));
  const came = await pass(60);
  t.deepEqual(came[0], [30, silentFor(30, 'late')]);
  // The state of this rig stays as it is, so it says so again every second.
  t.deepEqual(came.at(-2), [59, silentFor(59, 'late')]);
  t.deepEqual(came.at(-1), [60, silentFor(60, 'missing')]);
});

test('while the gateway itself was not listening nobody was silent', async (t) => {
  const { desk, pass } = deskRig();
  t.is((await pass(29)).length, 0);
  desk.pause();
  t.is((await pass(300)).length, 0, 'it counts nothing while it does not listen');
  desk.freshWindow();
  t.is((await pass(29)).length, 0, 'and then everybody has a full window');
  t.deepEqual(await pass(1), [[1, silentFor(30, 'late')]]);
});

test('a desk does not listen before it is told to', async (t) => {
  const clock = manualClock(0);
  const submit = () => Promise.reject(new Error('nothing may be submitted'));
  const state = () => given(anAgent()).state;
  const troubles: string[] = [];
  const onTrouble = (sentence: string) => troubles.push(sentence);
  const desk = new CheckInDesk({ clock, patience: PATIENCE, state, submit, onTrouble });
  await clock.advance(3_600_000);
  await desk.tick();
  t.deepEqual(troubles, []);
});

for (const [title, jumpMs] of [
  ['forwards', 7_200_000],
  ['backwards', -7_200_000],
] as const) {
  test(`a clock that jumps ${title} makes nobody silent: every agent gets a fresh window`, async (t) => {
    const { clock, desk, pass, tick, troubles } = deskRig();
    desk.receive(seq(1));
    t.is((await pass(20)).length, 0);
    clock.jump(jumpMs);
    t.is(await tick(), null);
    t.is(troubles.length, 1);
    t.is((await pass(29)).length, 0);
    t.deepEqual(await pass(1), [[1, silentFor(30, 'late')]]);
    t.is(troubles.length, 1, 'said once');
  });
}

test('a tick that is a little late is no jump', async (t) => {
  const { clock, tick, troubles } = deskRig();
  for (let tock = 0; tock < 5; tock += 1) {
    await clock.advance(6000);
    t.is((await tick()) === null, tock < 4);
  }
  t.deepEqual(troubles, []);
});

test('of a whole zone that falls silent, 128 agents are said per tick; the rest comes at the next', async (t) => {
  const agents = Array.from({ length: 300 }, (_, index) => anAgent({ id: `agent-${index}` }));
  const [first] = await deskRig(given(agents.flat()).state).pass(30);
  t.is(first?.[1].silences.length, 128);
});

test('a tick is also due when somebody has waited long enough', async (t) => {
  const { pass } = deskRig(given(aWaitingSession({ maxWaitSeconds: 5 })).state);
  t.deepEqual(await pass(5), [[5, aTick()]]);
});

test('a missing agent is declared lost by itself only where that was asked for, after that much silence', async (t) => {
  const missing = given(anAgent({ connectivity: 'missing' })).state;
  t.is((await deskRig(missing).pass(300)).length, 0);
  const { pass, submitted } = deskRig(missing, { lostAfterSeconds: 120 });
  t.deepEqual(
    (await pass(120)).map(([second]) => second),
    [120],
  );
  t.deepEqual(submitted[0]?.command, aTick({ silences: [{ agentId: 'agent-1', seconds: 120, to: 'lost' }] }));
  t.deepEqual(submitted[0]?.actor, { kind: 'system', id: 'muster' });
  t.regex(submitted[0]?.reason ?? '', /^silent for 2 minutes/);
});

test('while a partition is suspected no timer asks to declare anything lost', async (t) => {
  const both = [...anAgent({ connectivity: 'missing' }), ...anAgent({ id: 'agent-2', connectivity: 'missing' })];
  const { pass, submitted } = deskRig(given(both).state, { lostAfterSeconds: 120 });
  t.is((await pass(180)).length, 0);
  t.deepEqual(submitted, []);
});

test('a session must be seen running within its time, counted while its agent is heard', async (t) => {
  const { state } = given(anAgent(), aPlacedSession());
  const { desk, pass, clock } = deskRig(state, { startTimeoutSeconds: 60 });
  const heard = async (seconds: number) => {
    const came: (readonly [number, AdvanceTime])[] = [];
    for (let second = 1; second <= seconds; second += 1) {
      desk.receive(seq(clock.now()));
      came.push(...(await pass(1)).map(([, command]) => [second, command] as const));
    }
    return came;
  };
  t.deepEqual(await heard(60), [[60, aTick({ overdueStarts: ['s-1'] })]]);
  desk.freshWindow();
  t.is((await heard(59)).length, 0, 'a gateway that was away could not see it start');
});

test('a session on an agent that is not heard may well be running: it is not late with its start', async (t) => {
  const unheard = deskRig(given(anAgent(), aPlacedSession()).state, { startTimeoutSeconds: 20 });
  t.is((await unheard.pass(29)).length, 0);
  const away = deskRig(given(anAgent(), aPlacedSession(), anAgent({ connectivity: 'missing' }).slice(-1)).state, {
    startTimeoutSeconds: 20,
  });
  away.desk.receive(seq(1));
  t.is((await away.pass(60)).length, 0);
});

function writerRig(put: (document: DesiredDocument) => Promise<unknown>) {
  const clock = manualClock(0);
  let version = 0;
  const documentOf = (agentId: string): DesiredDocument | null =>
    agentId === 'nobody'
      ? null
      : {
          schemaVersion: 1,
          agentId,
          logId: 'log-1',
          version: (version += 1),
          pruneMode: 'off',
          pruneMark: null,
          sessions: [],
        };
  const troubles: string[] = [];
  const writer = new DesiredWriter({ documentOf, put, clock, onTrouble: (sentence) => troubles.push(sentence) });
  return { clock, writer, troubles };
}

test('a document that could not be written is tried again, as it is then, until it is', async (t) => {
  const written: number[] = [];
  let failures = 3;
  const { clock, writer, troubles } = writerRig(async ({ version }) => {
    if (failures > 0) {
      failures -= 1;
      throw new Error('the bus is away');
    }
    written.push(version);
  });
  writer.changed('agent-1');
  await clock.advance(10_000);
  await writer.settled();
  t.deepEqual(written, [4], 'the newest, once');
  t.is(troubles.length, 3);
});

test('an agent that changes at the very end of a write is not forgotten', async (t) => {
  // After so many turns of the promises: one of them falls between the writer's last look and its end.
  for (let turns = 0; turns < 16; turns += 1) {
    const written: string[] = [];
    const { writer } = writerRig(async ({ agentId }) => {
      written.push(agentId);
    });
    writer.changed('agent-1');
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    writer.changed('agent-2');
    await settleDown();
    t.deepEqual(written, ['agent-1', 'agent-2'], `${turns} turns`);
  }
});

test('a writer that is stopped gives up what it could not write', async (t) => {
  let tries = 0;
  const { clock, writer } = writerRig(() => {
    tries += 1;
    return Promise.reject(new Error('the bus is away'));
  });
  writer.changed('agent-1');
  writer.changed('nobody');
  await writer.stop();
  const before = tries;
  await clock.advance(60_000);
  t.deepEqual([before, tries], [1, 1]);
});
