import test, { type ExecutionContext } from 'ava';
import { FeedWriter } from '../gateway/controller/feedWriter.ts';
import { zoneRules } from '../gateway/core/foldRules.ts';
import { CapacityReader, type CapacityAnswer } from '../gateway/history/capacityReader.ts';
import { CHUNK_SECONDS } from '../gateway/history/capacityChunk.ts';
import type { Collected } from '../gateway/history/capacityCollector.ts';
import { HOUR_MS, standingCapacityMark, storeCapacity, writeCapacityMark } from '../gateway/history/capacityStore.ts';
import { writeCapacity } from '../gateway/history/capacityWriter.ts';
import { writeSnapshot } from '../gateway/snapshots/snapshot.ts';
import { jetStreamApi } from '../infra/bus/api.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { createBusFeed } from '../infra/bus/feed.ts';
import { feedEndsAt } from '../infra/bus/feedBack.ts';
import { ensureRollups } from '../infra/bus/streams.ts';
import { realClock, type Clock } from '../infra/clock.ts';
import { createMemoryLog, type MemoryStore } from '../infra/log/memory.ts';
import { ROLLUPS_STREAM } from '../infra/names.ts';
import { createMemorySnapshots } from '../infra/snapshots/memory.ts';
import { startOf } from '../projections/rollup.ts';
import { agentLives, LIFE_LOG, momentText, type AgentLives, type Moment } from './support/agentLives.ts';
import { GIB } from './support/builders.ts';
import { startNats, type TestNats } from './support/nats.ts';
import { until } from './support/until.ts';

/** Capacity and allocated through more time than the feed has, on a real bus, against what the zone's own state was. */

const DAY = 86_400_000;
const AGENTS = ['a', 'b', 'c'] as const;

interface Setup {
  readonly nats: TestNats;
  readonly bus: Bus;
  readonly store: MemoryStore;
  readonly lives: AgentLives;
  /** Has kept what moved, as the thread of whoever leads does, on a connection of its own. */
  readonly keep: (clock?: Clock) => Promise<number | null>;
  readonly snapshot: () => Promise<number | null>;
  /** Waits until the feed has what happened, and no more than its 30 days. */
  readonly feed: () => Promise<void>;
  readonly read: (agentId: string, days: number) => Promise<CapacityAnswer>;
  readonly troubles: string[];
}

async function setup(t: ExecutionContext, seed = 1): Promise<Setup> {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const bus = await nats.connect('app');
  await ensureRollups(bus, 1);
  const store: MemoryStore = new Map();
  const eventLog = createMemoryLog(store);
  const snapshots = createMemorySnapshots();
  const lives = agentLives(eventLog, AGENTS, seed);
  const troubles: string[] = [];
  const onTrouble = (sentence: string, cause: unknown) => troubles.push(`${sentence}: ${String(cause)}`);
  const reader = new CapacityReader(bus, realClock);
  return {
    nats,
    bus,
    store,
    lives,
    troubles,
    keep: async (clock = realClock) =>
      await writeCapacity({ zone: 'default', bus, eventLog, snapshots, clock, onTrouble }),
    snapshot: async () =>
      await writeSnapshot({
        log: LIFE_LOG,
        eventLog,
        store: snapshots,
        rules: zoneRules('default'),
        clock: realClock,
        onTrouble,
      }),
    async feed() {
      const writer = new FeedWriter({
        log: LIFE_LOG,
        eventLog,
        feed: createBusFeed(bus, LIFE_LOG, 1),
        clock: realClock,
        onTrouble,
      });
      const { version } = lives.head().commit;
      await until(
        'the feed has all',
        () => feedEndsAt(bus, LIFE_LOG),
        (at) => at === version,
      );
      await writer.stop();
    },
    async read(agentId, days) {
      const { logId, version, at } = lives.head().commit;
      const known = { agentId, log: LIFE_LOG, logId, version, at: Date.parse(at), now: lives.now(agentId) };
      return await reader.read(known, { since: realClock.now() - days * DAY, until: realClock.now() });
    },
  };
}

function shown({ steps }: CapacityAnswer): readonly Moment[] {
  return steps.map((step) => ({ at: step.at, text: momentText(step) }));
}

function changesOf({ changes }: CapacityAnswer): readonly string[] {
  return changes.map(({ occurredAt, type }) => `${occurredAt} ${type}`).toReversed();
}

/** Every agent is told from its beginning as it was. */
async function assertWhole(t: ExecutionContext, { lives, read, troubles }: Setup, what: string): Promise<void> {
  for (const agentId of AGENTS) {
    const answer = await read(agentId, 400);
    t.deepEqual(shown(answer), lives.moments(agentId), `${what}: ${agentId}`);
    t.deepEqual(changesOf(answer), lives.changes(agentId), `${what}: ${agentId}`);
    t.is(lives.moments(agentId)[0]?.at, answer.since, `${what}: ${agentId}`);
    t.is(answer.thinnedTo, null);
  }
  t.deepEqual(troubles, []);
}

test('what the feed has no more is told exactly, with who changed settings, and goes on into what it has', async (t) => {
  const kept = await setup(t);
  const now = realClock.now();
  await kept.lives.live(900, now - 390 * DAY, now - DAY);
  await kept.feed();
  const before = await kept.read('a', 400);
  t.true(before.since > now - 31 * DAY, 'the feed alone has a month');
  t.is(await kept.keep(), 900);
  await assertWhole(t, kept, 'all of it is kept');
  await kept.lives.live(60, now - DAY, now);
  await kept.feed();
  await assertWhole(t, kept, 'some of it is in the feed alone');
  const week = await kept.read('b', 7);
  const all = kept.lives.moments('b');
  const first = all.findLast(({ at }) => at <= week.since);
  t.deepEqual(shown(week), [{ ...first, at: week.since } as Moment, ...all.filter(({ at }) => at > week.since)]);
});

test('when nothing has happened for more than a month, and the feed is empty, all of it is told', async (t) => {
  const kept = await setup(t, 9);
  const now = realClock.now();
  await kept.lives.live(300, now - 390 * DAY, now - 31 * DAY);
  await kept.keep();
  await assertWhole(t, kept, 'without a feed');
});

test('kept in one go, in pieces from snapshots, twice and by two at once it is the same', async (t) => {
  const kept = await setup(t, 2);
  const now = realClock.now();
  for (let piece = 0; piece < 12; piece += 1) {
    await kept.lives.live(50, now - (48 - 4 * piece) * DAY, now - (44 - 4 * piece) * DAY);
    if (piece % 2 === 0) await kept.snapshot();
    const versions = await Promise.all([kept.keep(), ...(piece % 3 === 0 ? [kept.keep()] : [])]);
    t.deepEqual(new Set(versions), new Set([50 * (piece + 1)]));
    if (piece % 4 === 0) await kept.keep();
  }
  await kept.feed();
  await assertWhole(t, kept, 'in pieces');
  t.is((await standingCapacityMark(kept.bus, LIFE_LOG))?.build, 1, 'nothing was built anew');
});

test('a writer whose connection ends in the middle leaves to the next what it has not written', async (t) => {
  const kept = await setup(t, 3);
  const now = realClock.now();
  await kept.lives.live(400, now - 60 * DAY, now - 6 * DAY);
  for (let life = 0; life < 6; life += 1) {
    await kept.lives.live(20, now - (6 - life) * DAY, now - (5 - life) * DAY);
    const own = await kept.nats.connect('app');
    const writing = writeCapacity({
      zone: 'default',
      bus: own,
      eventLog: createMemoryLog(kept.store),
      snapshots: createMemorySnapshots(),
      clock: realClock,
      onTrouble: () => {},
    });
    const ended = t.throwsAsync(writing);
    await until(
      'some of it is written',
      () => written(kept.bus),
      (messages) => messages > 2 * life,
    );
    await own.close();
    await ended;
  }
  await kept.feed();
  t.is(await kept.keep(), 520);
  await assertWhole(t, kept, 'after six that were killed');
});

test('what stands there without a mark, since its writer ended in between, is not written twice', async (t) => {
  const kept = await setup(t, 8);
  const now = realClock.now();
  const dies = { ...realClock, sleep: () => Promise.reject(new Error('killed before the mark')) };
  for (let life = 0; life < 4; life += 1) {
    await kept.lives.live(40, now - (5 - life) * DAY, now - (4 - life) * DAY);
    await t.throwsAsync(kept.keep(dies), { message: /killed/ });
    t.is(await standingCapacityMark(kept.bus, LIFE_LOG), null);
  }
  await kept.lives.live(40, now - DAY / 2, now);
  await kept.feed();
  t.is(await kept.keep(), 200);
  await assertWhole(t, kept, 'after four that were killed');
});

test('an answer is no longer than one of what was measured, and says to what it was thinned', async (t) => {
  const { bus } = await setup(t);
  const now = realClock.now();
  const build = { log: LIFE_LOG, logId: 'long', build: 1, since: 0 };
  const held = new Map();
  const [first, hours] = [startOf(now - 399 * DAY, CHUNK_SECONDS), 399 * 24];
  const all = Array.from({ length: hours * 2 }, (_, index) => ({
    at: first + index * HOUR_MS * 0.5,
    version: index + 1,
    capacity: { millicores: 12_000, memoryBytes: GIB, gpus: 0 },
    allocated: { millicores: (index % 97) * 100, memoryBytes: 0, gpus: 0 },
  }));
  const chunks = Map.groupBy(all, ({ at }) => startOf(at, CHUNK_SECONDS));
  let before: (typeof all)[number] | null = null;
  const collected: Collected[] = [];
  for (const [start, steps] of chunks) {
    const version = steps.at(-1)?.version ?? 0;
    collected.push({ start, before, beforeSince: before?.at ?? null, steps, changes: [], version, held });
    before = steps.at(-1) ?? null;
  }
  await storeCapacity(bus, realClock, build, 'a', collected);
  const version = all.length;
  await writeCapacityMark(bus, LIFE_LOG, { build: 1, logId: 'long', version, hash: 'hash', writtenAt: now });
  const nothing = {
    hardware: null,
    coresOverride: null,
    memoryOverride: null,
    allocated: { millicores: 0, memoryBytes: 0, gpus: 0 },
  };
  const known = { agentId: 'a', log: LIFE_LOG, logId: 'long', version, at: 0, now: nothing };
  const answer = await new CapacityReader(bus, realClock).read(known, { since: first, until: now });
  t.true(answer.steps.length > 2000 && answer.steps.length <= 12_000, String(answer.steps.length));
  t.true((answer.thinnedTo ?? 0) > 3600);
  t.is(answer.steps[0]?.at, first);
  t.is(answer.steps.at(-1)?.at, all.at(-1)?.at);
  const week = await new CapacityReader(bus, realClock).read(known, { since: first, until: first + 7 * DAY });
  t.is(week.steps.length, 7 * 48 + 1, 'of less time every step is told');
  t.is(week.thinnedTo, null);
});

async function written(bus: Bus): Promise<number> {
  const { state } = (await jetStreamApi(bus, `STREAM.INFO.${ROLLUPS_STREAM}`)) as { state: { messages: number } };
  return state.messages;
}

test('when the stream is lost, or the log is another one, all is built anew, and nothing of the other is told', async (t) => {
  const kept = await setup(t, 4);
  const now = realClock.now();
  await kept.lives.live(300, now - 60 * DAY, now - DAY);
  await kept.feed();
  await kept.keep();
  await jetStreamApi(kept.bus, `STREAM.PURGE.${ROLLUPS_STREAM}`);
  t.true((await kept.read('a', 400)).since > now - 31 * DAY, 'the feed alone');
  await kept.keep();
  await assertWhole(t, kept, 'after the loss');

  // As after a restored backup: the same log up to a version, and from there on another past.
  const store: MemoryStore = new Map([[LIFE_LOG, []]]);
  const eventLog = createMemoryLog(store);
  const other = agentLives(eventLog, AGENTS, 5);
  await other.live(320, now - 60 * DAY, now - DAY);
  const ports = { zone: 'default', bus: kept.bus, eventLog, snapshots: createMemorySnapshots(), clock: realClock };
  const reader = new CapacityReader(kept.bus, realClock);
  await jetStreamApi(kept.bus, 'STREAM.DELETE.MUSTER_FEED_default');
  const feed = createBusFeed(kept.bus, LIFE_LOG, 1);
  const writer = new FeedWriter({ log: LIFE_LOG, eventLog, feed, clock: realClock, onTrouble: () => {} });
  t.teardown(() => writer.stop());
  const { logId, version, at: headAt } = other.head().commit;
  await until(
    'the other feed',
    () => feedEndsAt(kept.bus, LIFE_LOG),
    (at) => at === version,
  );
  const read = async (agentId: string) =>
    await reader.read(
      { agentId, log: LIFE_LOG, logId, version, at: Date.parse(headAt), now: other.now(agentId) },
      { since: now - 400 * DAY, until: now },
    );
  for (const agentId of AGENTS) {
    const moments = other.moments(agentId).filter(({ at }) => at > now - 30 * DAY);
    t.deepEqual(shown(await read(agentId)).slice(-5), moments.slice(-5), 'never what was of the other past');
  }
  t.is(await writeCapacity({ ...ports, onTrouble: () => {} }), 320);
  for (const agentId of AGENTS) t.deepEqual(shown(await read(agentId)), other.moments(agentId));
  t.is((await standingCapacityMark(kept.bus, LIFE_LOG))?.build, 2);
});

test('where the beginning of the log was moved offline it is told from what is left', async (t) => {
  const kept = await setup(t, 6);
  const now = realClock.now();
  await kept.lives.live(300, now - 60 * DAY, now - 40 * DAY);
  await kept.snapshot();
  const commits = kept.store.get(LIFE_LOG) ?? [];
  for (let version = 0; version < 250; version += 1) Reflect.deleteProperty(commits, version);
  await kept.lives.live(300, now - 40 * DAY, now);
  await kept.feed();
  t.is(await kept.keep(), 600);
  for (const agentId of AGENTS) {
    const answer = await kept.read(agentId, 400);
    t.true(Math.abs(answer.since - (now - 40 * DAY)) < DAY, agentId);
    const [first, ...later] = shown(answer);
    t.deepEqual(
      later,
      kept.lives.moments(agentId).filter(({ at }) => at > answer.since),
    );
    t.is(first?.text, kept.lives.moments(agentId).findLast(({ at }) => at <= answer.since)?.text);
  }
});

test('of an hour in which very much happened its ends and extremes are kept, all of them exact', async (t) => {
  const kept = await setup(t, 7);
  const now = realClock.now();
  await kept.lives.live(60, now - 60 * DAY, now - 50 * DAY);
  const hour = Math.floor((now - 49 * DAY) / 3_600_000) * 3_600_000;
  await kept.lives.live(300, hour, hour + 3_600_000);
  await kept.lives.live(60, now - 40 * DAY, now);
  await kept.feed();
  await kept.keep();
  for (const agentId of AGENTS) {
    const answer = await kept.read(agentId, 400);
    t.is(answer.thinnedTo, 3600);
    const moments = kept.lives.moments(agentId);
    const isBusy = ({ at }: Moment): boolean => at >= hour && at < hour + 3_600_000;
    const [busy, told] = [moments.filter(isBusy), shown(answer).filter(isBusy)];
    t.true(busy.length > 16 && told.length <= 16);
    t.deepEqual(
      shown(answer).filter((moment) => !isBusy(moment)),
      moments.filter((moment) => !isBusy(moment)),
    );
    for (const moment of told) t.true(busy.some(({ at, text }) => at === moment.at && text === moment.text));
    t.deepEqual([told[0], told.at(-1)], [busy[0], busy.at(-1)]);
    const allocated = (moment: Moment): number => Number(moment.text.split(',')[0]);
    t.is(Math.max(...told.map(allocated)), Math.max(...busy.map(allocated)));
    t.is(Math.min(...told.map(allocated)), Math.min(...busy.map(allocated)));
  }
});
