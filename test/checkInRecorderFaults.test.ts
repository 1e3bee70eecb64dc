import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { jetStreamApi, objectIn, sequenceOf } from '../infra/bus/api.ts';
import { followCheckIns } from '../infra/bus/checkIns.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { ensureCheckIns } from '../infra/bus/streams.ts';
import { StoreError, StoreErrorCode, isStoreAway } from '../infra/eventStore/errors.ts';
import type { EventStore } from '../infra/eventStore/port.ts';
import { CHECKINS_STREAM } from '../infra/names.ts';
import {
  assertRecorded,
  inBackground,
  largeSession,
  named,
  recordedOf,
  say,
  start,
} from './support/checkInRecording.ts';
import { openStore } from './support/eventStoreHarness.ts';
import { temporaryFolder } from './support/folder.ts';
import { until } from './support/until.ts';

/** What goes wrong around a recorder: whatever it is, every check-in is recorded once. */

test('an answer that is lost doubles nothing', async (t) => {
  const { bus, server, store, recording } = await start(t);
  const agents = named(4);
  await say(bus, agents, 1, 30);
  const recorder = recording({ store: losingAnswers(openStore(t, server.url), 6) });
  let failures = 0;
  const passed = async (): Promise<boolean> => {
    try {
      await recorder.pass();
      return true;
    } catch (error) {
      failures += 1;
      if (isStoreAway(error)) return false;
      throw error;
    }
  };
  await until('a pass without a lost answer', passed, Boolean);
  t.true(failures > 1);
  await assertRecorded(t, store, agents, 30);
});

test('through kills of the store every check-in is recorded once, and it is told once', async (t) => {
  const { bus, server, store, recording } = await start(t);
  const agents = named(20);
  const made = recording({ mostBytes: 64 * 1024 });
  const ending = inBackground(t, (signal) => made.recorder.run(signal));
  for (let round = 0; round < 4; round += 1) {
    const saying = say(bus, agents, round * 50 + 1, round * 50 + 50);
    const counted = made.counts.recorded;
    await until(
      'some are recorded',
      async () => made.counts.recorded,
      (now) => now > counted,
    );
    await server.kill9();
    await saying;
    await until(
      'it is told',
      async () => made.lines.length,
      (lines) => lines === round * 2 + 1,
    );
    await server.restart();
    await until(
      'it is told again',
      async () => made.lines.length,
      (lines) => lines === round * 2 + 2,
    );
  }
  const last = async () => await recordedOf(store, 'agent-20');
  await until('all are recorded', last, (numbers) => numbers.length >= 200);
  await ending();
  await assertRecorded(t, store, agents, 200);
  t.deepEqual(
    [...new Set(made.lines.map(({ level, msg }) => `${level}: ${msg}`))],
    [
      'warn: check-ins cannot be recorded in the event store for now; the bus keeps them, and it is tried again',
      'info: check-ins are recorded in the event store again',
    ],
  );
  t.is(made.counts.missed, 0);
});

test('two gateways that both believe to lead record every check-in once', async (t) => {
  const { bus, store, recording } = await start(t);
  const agents = named(10);
  const [one, other] = [recording({ mostBytes: 32 * 1024 }), recording({ mostBytes: 20 * 1024 })];
  for (let round = 0; round < 5; round += 1) {
    await say(bus, agents, round * 30 + 1, round * 30 + 30);
    await Promise.all([passedAtLast(one), passedAtLast(other)]);
  }
  await assertRecorded(t, store, agents, 150);
});

/** Two who write one batch at a time make the store time out now and then; the recorder tries again, and so does this. */
async function passedAtLast(recording: { readonly pass: () => Promise<void> }): Promise<void> {
  for (;;) {
    try {
      await recording.pass();
      return;
    } catch (error) {
      if (!isStoreAway(error)) throw error;
    }
  }
}

test('a gateway that leads no more stops amid its work, and the next one does the rest', async (t) => {
  const { bus, store, recording } = await start(t);
  const agents = named(10);
  await say(bus, agents, 1, 100);
  const first = recording({
    mostBytes: 64 * 1024,
    isKnown: (agentId) => {
      if (first.counts.recorded > 200) first.leading = false;
      return agentId !== '';
    },
  });
  await first.pass();
  t.true(first.counts.recorded < 1000);
  const second = recording();
  await second.pass();
  t.is(first.counts.recorded + second.counts.recorded, 1000);
  await assertRecorded(t, store, agents, 100);
  second.leading = false;
  t.true(second.recorder.lagSeconds < 60);
});

test('a stream of check-ins that was made anew, and counts from 1 again, is recorded as well', async (t) => {
  const { bus, store, recording } = await start(t);
  await say(bus, ['a', 'b'], 1, 10);
  const made = recording();
  await made.pass();
  await jetStreamApi(bus, `STREAM.DELETE.${CHECKINS_STREAM}`);
  await ensureCheckIns(bus, 1);
  await say(bus, ['a', 'b'], 11, 15);
  await made.pass();
  await recording().pass();
  await assertRecorded(t, store, ['a', 'b'], 15);
  t.is(made.counts.missed, 0);
});

test('a bus that lost the last check-ins in a crash, and gives their sequences to others, is recorded on', async (t) => {
  const { nats, bus, store, recording } = await start(t);
  await say(bus, ['a', 'b'], 1, 10);
  await nats.kill9();
  const copy = join(await temporaryFolder(t), 'bus');
  await cp(nats.store, copy, { recursive: true });
  await nats.restart();
  await until('the bus is back', async () => bus.isConnected(), Boolean);
  await say(bus, ['a', 'b'], 11, 20);
  const made = recording();
  await made.pass();
  await assertRecorded(t, store, ['a', 'b'], 20);
  const lost = await lastSequence(bus);

  await nats.kill9();
  await rm(nats.store, { recursive: true });
  await cp(copy, nats.store, { recursive: true });
  await nats.restart();
  await until('the bus is back', async () => bus.isConnected(), Boolean);
  await say(bus, ['a', 'b'], 21, 24);
  t.true((await lastSequence(bus)) < lost);
  await made.pass();
  await say(bus, ['a', 'b'], 25, 40);
  t.true((await lastSequence(bus)) > lost);
  await made.pass();
  await recording().pass();
  await assertRecorded(t, store, ['a', 'b'], 40);
  t.is(made.counts.missed, 0);
});

test('while the store hangs check-ins are heard as ever, and no more is read from the bus than may be held', async (t) => {
  const { nats, bus, server, store, recording } = await start(t);
  const agents = named(10);
  const sessions = Array.from({ length: 300 }, (_, index) => largeSession(index));
  await say(bus, agents, 1, 100, { sessions });
  const ownBus = await nats.connect('app');
  const made = recording({ bus: ownBus, mostBytes: 1024 ** 2 });
  const heard = new Map<string, number>();
  const ending = inBackground(t, async (signal) => {
    const hearing = followCheckIns(bus, {
      signal,
      onCheckIn: ({ checkIn }) => void heard.set(checkIn.agentId, checkIn.seq),
      onMalformed: ({ problem }) => t.fail(problem),
    });
    await Promise.all([made.recorder.run(signal), hearing]);
  });
  await until(
    'it has begun',
    async () => made.counts.recorded,
    (recorded) => recorded > 0,
  );
  await server.pull({ hangs: true });
  await until(
    'it is told',
    async () => made.lines.length,
    (lines) => lines === 1,
  );
  const saidAt = performance.now();
  await say(bus, agents, 101, 101);
  await until(
    'heard',
    async () => [...heard.values()],
    (seqs) => seqs.length === 10 && seqs.every((seq) => seq === 101),
  );
  t.true(performance.now() - saidAt < 2_000);
  t.true(made.recorder.lagSeconds > 5, `${made.recorder.lagSeconds} s behind`);
  const read = ownBus.connection.stats().inMsgs;
  t.log(`${read} of 1000 check-ins were sent to the recorder`);
  t.true(read > 0 && read < 200);
  await server.pull({ hangs: false });
  await until(
    'it has caught up',
    async () => made.recorder.lagSeconds,
    (seconds) => seconds < 5,
    60_000,
  );
  await ending();
  await assertRecorded(t, store, agents, 101);
});

/** The answers to the next appends are lost, and what they wrote stands there. */
function losingAnswers(inner: EventStore, times: number): EventStore {
  let left = times;
  return new Proxy(inner, {
    get(target, name) {
      if (name !== 'append') {
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === 'function' ? member.bind(target) : member;
      }
      return async (...args: Parameters<EventStore['append']>) => {
        const revision = await target.append(...args);
        left -= 1;
        if (left < 0) return revision;
        throw new StoreError(StoreErrorCode.Away, 'as the test wants it');
      };
    },
  });
}

async function lastSequence(bus: Bus): Promise<number> {
  return sequenceOf(objectIn(await jetStreamApi(bus, `STREAM.INFO.${CHECKINS_STREAM}`), 'state'), 'last_seq');
}
