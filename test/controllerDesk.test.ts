import test from 'ava';
import type { CheckIn } from '../domain/checkIn.ts';
import type { DesiredDocument } from '../domain/desired.ts';
import type { ZoneCommand } from '../domain/zone/commands.ts';
import type { ZoneState } from '../domain/zone/state.ts';
import { CheckInDesk } from '../gateway/controller/checkInDesk.ts';
import { DesiredWriter } from '../gateway/controller/desiredWriter.ts';
import { ControllerUnavailable, type Answer, type Submission } from '../gateway/controller/machine.ts';
import { aCheckIn, aWaitingSession, anAgent, given } from './support/builders.ts';
import { settleDown } from './support/controllerRig.ts';
import { manualClock } from './support/manualClock.ts';

const ACCEPTED: Answer = { kind: 'accepted', outcome: {}, detail: null, version: 1, repeated: false };

/** A desk before a controller that keeps what it is given until it is let go. */
function deskRig(state: ZoneState = given(anAgent()).state) {
  const clock = manualClock(Date.UTC(2026, 0, 1));
  const submitted: ZoneCommand[] = [];
  const open: (() => void)[] = [];
  let failing = false;
  const controller = {
    submit: async ({ command }: Submission<ZoneCommand>) => {
      submitted.push(command);
      const { promise, resolve } = Promise.withResolvers<void>();
      open.push(resolve);
      await promise;
      if (failing) throw new ControllerUnavailable('away');
      return ACCEPTED;
    },
    ask: async <Result>(question: (state: ZoneState) => Result) => question(state),
  };
  const desk = new CheckInDesk({ clock, checkInSeconds: 10, controller, onTrouble: () => {} });
  const said = () => submitted.flatMap((command) => (command.type === 'RecordCheckIn' ? [command.checkIn.seq] : []));
  const tick = async () => {
    const before = submitted.length;
    const ticked = desk.tick();
    await settleDown();
    await letGo();
    await ticked;
    return submitted[before] ?? null;
  };
  const letGo = async () => {
    for (const resolve of open.splice(0)) resolve();
    await settleDown();
  };
  return { clock, desk, said, tick, letGo, fail: () => (failing = true) };
}

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

test('an agent is late after three intervals of silence and missing after six', async (t) => {
  const { clock, desk, tick } = deskRig();
  desk.receive(seq(1));
  await clock.advance(29_000);
  t.is(await tick(), null);
  await clock.advance(1000);
  t.deepEqual(await tick(), { type: 'AdvanceTime', silences: [{ agentId: 'agent-1', seconds: 30, to: 'late' }] });
  await clock.advance(30_000);
  t.deepEqual(await tick(), { type: 'AdvanceTime', silences: [{ agentId: 'agent-1', seconds: 60, to: 'missing' }] });
});

test('while the gateway itself was not listening nobody was silent', async (t) => {
  const { clock, desk, tick } = deskRig();
  await clock.advance(59_000);
  desk.freshWindow();
  await clock.advance(29_000);
  t.is(await tick(), null);
});

test('a tick is also due when somebody has waited long enough', async (t) => {
  const { clock, tick } = deskRig(given(aWaitingSession({ maxWaitSeconds: 5 })).state);
  t.is(await tick(), null);
  await clock.advance(5000);
  t.deepEqual(await tick(), { type: 'AdvanceTime', silences: [] });
});

function writerRig(put: (document: DesiredDocument) => Promise<unknown>) {
  const clock = manualClock(0);
  let version = 0;
  const documentOf = (agentId: string): DesiredDocument | null =>
    agentId === 'nobody' ? null : { schemaVersion: 1, agentId, logId: 'log-1', version: (version += 1), sessions: [] };
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
