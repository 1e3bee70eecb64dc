import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import pino from 'pino';
import type { CheckIn } from '../domain/checkIn.ts';
import { HistoryKeeper } from '../gateway/history/keeper.ts';
import { HistoryReader } from '../gateway/history/reader.ts';
import { storeHours } from '../gateway/history/rollupStore.ts';
import { jetStreamApi, publishAcked } from '../infra/bus/api.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { readChunk, readWrittenUpTo, writeChunk } from '../infra/bus/rollups.ts';
import { ensureCheckIns, ensureRollups } from '../infra/bus/streams.ts';
import { isoTime, realClock, type Clock } from '../infra/clock.ts';
import { rollupSubject, ROLLUPS_WRITTEN } from '../infra/names.ts';
import { COARSER, FINE, RESOLUTIONS, startOf, type Bucket } from '../projections/rollup.ts';
import { decodeChunk, encodeChunk } from '../projections/rollupChunk.ts';
import { addSample, bucketsOf, measuredAt, openHours, type UtilizationHistory } from '../projections/utilization.ts';
import type { UtilizationView } from '../projections/views.ts';
import { GIB, aCheckIn } from './support/builders.ts';
import { startNats, type TestNats } from './support/nats.ts';
import { checkInMessage, storeCheckIns } from './support/storedCheckIns.ts';
import { until } from './support/until.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** How long an hour is kept open after its end. So far ahead, no test depends on whether one has just ended. */
const GRACE_MS = 20_000;
const { signal } = new AbortController();

/** What a gateway has of the history: it hears check-ins, keeps, and is asked. */
interface Gateway {
  readonly history: UtilizationHistory;
  leading: boolean;
  readonly hear: (...checkIns: readonly CheckIn[]) => void;
  readonly pass: () => Promise<void>;
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** The last hours of agent "a", at each step. */
  readonly answers: (hours?: number) => Promise<readonly UtilizationView[]>;
}

interface Setup {
  readonly nats: TestNats;
  readonly bus: Bus;
  readonly gateway: (options?: { readonly leading?: boolean; readonly clock?: Clock }) => Gateway;
  /** Brings check-ins onto the bus, where gateways that do not hear them find them. */
  readonly store: (...checkIns: readonly CheckIn[]) => Promise<void>;
}

async function start(t: ExecutionContext): Promise<Setup> {
  const nats = await startNats();
  t.teardown(async () => await nats.stop());
  const bus = await nats.connect('app');
  await ensureCheckIns(bus, 1);
  await ensureRollups(bus, 1);
  return {
    nats,
    bus,
    gateway: ({ leading = true, clock = ahead(GRACE_MS) } = {}) => gatewayOn(bus, leading, clock),
    store: async (...checkIns) => await storeCheckIns(bus, ...checkIns.map(checkInMessage)),
  };
}

function gatewayOn(bus: Bus, leading: boolean, clock: Clock): Gateway {
  const history: UtilizationHistory = new Map();
  const gateway: Gateway = {
    history,
    leading,
    hear(...checkIns) {
      for (const checkIn of checkIns) {
        addSample(history, checkIn.agentId, measuredAt(checkIn, clock.now()), checkIn.usage);
      }
    },
    pass: async () => await keeper.pass(signal),
    run: async (until) => await keeper.run(until),
    async answers(hours = 24) {
      const range = { since: clock.now() - hours * HOUR, until: clock.now() };
      return await Promise.all(RESOLUTIONS.map(async (resolution) => await reader.read('a', range, resolution)));
    },
  };
  const keeper = new HistoryKeeper({
    bus,
    clock,
    log: pino({ level: 'silent' }),
    history,
    isKnown: () => true,
    isLeading: () => gateway.leading,
  });
  const reader = new HistoryReader(bus, clock, history);
  return gateway;
}

/** A clock that is ahead: what is received now was received so long ago. */
function ahead(ms: number): Clock {
  return { ...realClock, now: () => realClock.now() + ms };
}

/** A clock that sleeps little, for passes that come by themselves. */
const hasty: Clock = { ...realClock, sleep: (ms, signal) => realClock.sleep(Math.min(ms, 20), signal) };

const connected = (bus: Bus) => () => Promise.resolve(bus.isConnected());

async function loseConnection(nats: TestNats, bus: Bus): Promise<void> {
  await nats.kill9();
  await until('the loss is noticed', connected(bus), (yes) => !yes);
}

/** Simulated, because their own time counts: one check-in every ten seconds up to now, with every fifth minute missing. */
function recentCheckIns(hours: number): readonly CheckIn[] {
  const now = realClock.now();
  return Array.from({ length: hours * 360 }, (_, index): CheckIn => {
    const at = now - (hours * 360 - index) * 10_000;
    return aCheckInAt(at, { cpuMillicores: 1000 + ((index * 37) % 3000) });
  }).filter(({ observedAt }) => Math.floor(Date.parse(observedAt) / MINUTE) % 5 !== 0);
}

function aCheckInAt(at: number, use: { readonly cpuMillicores?: number } = {}): CheckIn {
  const usage = { cpuMillicores: 1000, memoryBytes: GIB, disk: null, gpus: [], sessions: [], ...use };
  return { ...aCheckIn(), agentId: 'a', simulated: true, observedAt: isoTime(at), usage };
}

/** When the buckets begin in which something was received. */
const times = ({ start, stepSeconds, samples }: UtilizationView) =>
  samples.flatMap((received, place) => (received === 0 ? [] : start + place * stepSeconds * 1000));
const counts = (answers: readonly UtilizationView[]) => answers.map((view) => times(view).length);
const received = ({ samples }: UtilizationView) => samples.reduce((sum, each) => sum + each, 0);

test('the history reads the same before it is written, after, from a gateway that starts anew, and from a second one', async (t) => {
  const { gateway, store } = await start(t);
  const checkIns = recentCheckIns(8);
  await store(...checkIns);
  const [first, follower] = [gateway(), gateway({ leading: false })];
  first.hear(...checkIns);
  follower.hear(...checkIns);
  const before = await first.answers();
  t.deepEqual(before.map(received), [checkIns.length, checkIns.length, checkIns.length]);
  t.true((counts(before)[2] ?? 0) >= 8);
  await first.pass();
  t.true(openHours(first.history, 'a').length <= 1, 'only the open hour needs memory');
  t.deepEqual(await first.answers(), before);
  await follower.pass();
  t.deepEqual(await follower.answers(), before);
  for (const leading of [true, false]) {
    const restarted = gateway({ leading });
    await restarted.pass();
    t.deepEqual(await restarted.answers(), before);
  }
});

test('what the bus received while no gateway ran is found and written, and nothing twice', async (t) => {
  const { bus, gateway, store } = await start(t);
  const real = Array.from({ length: 3 }, () => ({ ...aCheckInAt(0), simulated: false }));
  await store(...real);
  const late = gateway({ clock: ahead(2 * HOUR) });
  await late.pass();
  t.is(late.history.size, 0);
  const answers = await late.answers();
  t.deepEqual(answers[2]?.samples, [3]);
  const upTo = await readWrittenUpTo(bus);
  t.true(upTo !== null && upTo > realClock.now());
  const sequence = await lastSequence(bus);
  for (const later of [late, gateway({ clock: ahead(2 * HOUR) })]) {
    await later.pass();
    t.deepEqual(await later.answers(), answers);
  }
  t.is(await lastSequence(bus), sequence, 'there was nothing to write');
});

test('a gateway that takes over writes what the one before it did not', async (t) => {
  const { bus, gateway, store } = await start(t);
  const checkIns = recentCheckIns(3);
  const [first, second] = [gateway(), gateway({ leading: false })];
  await first.pass();
  await second.pass();
  await store(...checkIns);
  second.hear(...checkIns);
  await second.pass();
  t.is(await chunkOf(bus, FINE.bucketSeconds, startOf(realClock.now() - 2 * HOUR, 3600)), null);
  second.leading = true;
  await second.pass();
  const answers = await second.answers();
  t.is(counts(answers)[0], checkIns.length);
  const third = gateway();
  await third.pass();
  t.deepEqual(await third.answers(), answers);
});

test('what arrives while hours are written is written next', async (t) => {
  const { bus, gateway } = await start(t);
  const leader = gateway();
  const at = startOf(realClock.now() - 2 * HOUR, 3600);
  for (let agent = 0; agent < 100; agent += 1) leader.hear({ ...aCheckInAt(at), agentId: `agent-${agent}` });
  const passing = leader.pass();
  const firstChunk = async () => await readChunk(bus, { agentId: 'agent-0', bucketSeconds: 10, start: at });
  await until('the writing has begun', firstChunk, (text) => text !== null);
  leader.hear(aCheckInAt(at), aCheckInAt(at - 5 * HOUR), { ...aCheckInAt(at + MINUTE), agentId: 'agent-0' });
  await passing;
  await leader.pass();
  t.is(leader.history.size, 0);
  t.deepEqual(counts(await leader.answers()), [2, 2, 2]);
  t.is((await chunkBuckets(bus, 'agent-0', at)).length, 2);
});

test('two gateways that both believe to lead lose nothing of what either has heard', async (t) => {
  const { gateway } = await start(t);
  const checkIns = recentCheckIns(6);
  const [one, other, all] = [gateway(), gateway(), gateway()];
  one.hear(...checkIns.filter((_, index) => index % 3 !== 0));
  other.hear(...checkIns.filter((_, index) => index % 3 !== 1));
  all.hear(...checkIns);
  const whole = await all.answers();
  await Promise.all([one.pass(), other.pass()]);
  // What each wrote of the wider buckets came from the hour that both had merged.
  await all.pass();
  t.deepEqual(await all.answers(), whole);
  const closedOnly = (answers: readonly UtilizationView[]) =>
    answers.map((view) => times(view).filter((at) => at < startOf(realClock.now() - MINUTE, 3600)).length);
  t.deepEqual(closedOnly(await one.answers()), closedOnly(whole));
  t.deepEqual(closedOnly(await other.answers()), closedOnly(whole));
});

test('while the bus is away nothing is lost, and a gap is never answered for what is only out of reach', async (t) => {
  const { nats, bus, gateway } = await start(t);
  const checkIns = recentCheckIns(3);
  const leader = gateway();
  leader.hear(...checkIns);
  const before = await leader.answers();
  await loseConnection(nats, bus);
  await t.throwsAsync(leader.pass(), { code: 'BUS_DISCONNECTED' });
  await t.throwsAsync(leader.answers(), { code: 'BUS_DISCONNECTED' });
  await nats.restart();
  await until('the bus is back', connected(bus), (yes) => yes);
  await leader.pass();
  t.true(openHours(leader.history, 'a').length <= 1);
  t.deepEqual(await leader.answers(), before);
});

test('after a lost connection what was not heard is read from the stored check-ins', async (t) => {
  const { nats, bus, gateway, store } = await start(t);
  const ending = new AbortController();
  const keeping = gateway({ clock: hasty });
  const running = keeping.run(ending.signal);
  await until(
    'a first pass',
    () => readWrittenUpTo(bus),
    (upTo) => upTo !== null,
  );
  const unheard = recentCheckIns(1);
  await store(...unheard);
  await loseConnection(nats, bus);
  await nats.restart();
  await until('the bus is back', connected(bus), (yes) => yes);
  const samples = async () => (await keeping.answers()).map(received)[2];
  await until('they are in the history', samples, (sum) => sum === unheard.length);
  ending.abort();
  await running;
  t.pass();
});

test('a chunk that is none is replaced, and the mark never goes back', async (t) => {
  const { bus, gateway } = await start(t);
  const hour = startOf(realClock.now() - 2 * HOUR, 3600);
  await publishAcked(bus, rollupSubject('a', 10, hour / 1000), Buffer.from('not compressed'));
  const leader = gateway();
  t.deepEqual(counts(await leader.answers()), [0, 0, 0]);
  leader.hear(aCheckInAt(hour));
  await leader.pass();
  t.deepEqual(counts(await leader.answers()), [1, 1, 1]);
  const upTo = await readWrittenUpTo(bus);
  await gateway({ clock: ahead(-5 * HOUR) }).pass();
  t.is(await readWrittenUpTo(bus), upTo);
  await publishAcked(bus, ROLLUPS_WRITTEN, Buffer.from('nonsense'));
  t.is(await readWrittenUpTo(bus), 0);
});

test('what is past keeping is not written, and what is written leaves by its age', async (t) => {
  const { bus, gateway } = await start(t);
  const old = startOf(realClock.now() - 48 * HOUR, 3600);
  const leader = gateway();
  leader.hear(aCheckInAt(old));
  await leader.pass();
  t.is(await chunkOf(bus, 10, old), null);
  t.deepEqual(counts(await leader.answers(72)), [0, 1, 1]);
  const place = { agentId: 'a', bucketSeconds: 10, start: old };
  t.true(await writeChunk(bus, place, { text: 'short-lived', expected: 0, keptSeconds: 1 }));
  t.is(await readChunk(bus, place), 'short-lived');
  await until(
    'it left',
    async () => await readChunk(bus, place),
    (text) => text === null,
  );
});

test('24 h of one agent are read in less than 50 ms with a thousand agents there', async (t) => {
  const { bus } = await start(t);
  const clock = realClock;
  const reader = new HistoryReader(bus, clock, new Map());
  const now = clock.now();
  const history: UtilizationHistory = new Map();
  const first = startOf(now, 3600) - 24 * HOUR;
  for (let place = 0; place < 24 * 360; place += 1) {
    const at = first + place * 10_000;
    addSample(history, 'a', at, aCheckInAt(at, { cpuMillicores: 1000 + ((place * 7919) % 5000) }).usage);
  }
  const hours = openHours(history, 'a').map(bucketsOf);
  await storeHours(bus, clock, 'a', hours);
  const bytes = gzipSync(encodeChunk(first, 10, hours[0] ?? []));
  for (let agent = 0; agent < 999; agent += 1) {
    const subjects = hours.map((_, hour) => rollupSubject(`other-${agent}`, 10, first / 1000 + hour * 3600));
    for (const subject of subjects.slice(1)) bus.connection.publish(subject, bytes);
    // Its answer says that the server is through with the others too.
    await publishAcked(bus, subjects[0] ?? '', bytes);
  }
  for (const resolution of [FINE, ...COARSER]) {
    const took: number[] = [];
    for (let round = 0; round < 11; round += 1) {
      const startedAt = performance.now();
      const view = await reader.read('a', { since: now - 24 * HOUR, until: now }, resolution);
      took.push(performance.now() - startedAt);
      t.true(view.samples.length >= 23 * (3600 / resolution.bucketSeconds));
    }
    const median = took.toSorted((a, b) => a - b)[5] ?? Infinity;
    t.log(`step ${resolution.bucketSeconds} s: median ${median.toFixed(1)} ms, first ${took[0]?.toFixed(1)} ms`);
    t.true(median < 50, `${median} ms`);
  }
});

async function chunkOf(bus: Bus, bucketSeconds: number, start: number): Promise<string | null> {
  return await readChunk(bus, { agentId: 'a', bucketSeconds, start });
}

async function chunkBuckets(bus: Bus, agentId: string, start: number): Promise<readonly Bucket[]> {
  return decodeChunk((await readChunk(bus, { agentId, bucketSeconds: 10, start })) ?? '') ?? [];
}

async function lastSequence(bus: Bus): Promise<unknown> {
  const info = await jetStreamApi(bus, 'STREAM.INFO.MUSTER_ROLLUPS');
  return Object(info['state'])['last_seq'];
}
