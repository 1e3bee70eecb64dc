import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { AnyEvent } from '../domain/events.ts';
import { FeedWriter, QUEUED_COMMITS } from '../gateway/controller/feedWriter.ts';
import { jetStreamApi } from '../infra/bus/api.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { createBusFeed } from '../infra/bus/feed.ts';
import { feedEvent } from '../infra/bus/feedEvent.ts';
import { isoTime, realClock } from '../infra/clock.ts';
import { nextCommit } from '../infra/log/codec.ts';
import { createMemoryLog, type MemoryStore } from '../infra/log/memory.ts';
import type { EventLog, StoredCommit } from '../infra/log/port.ts';
import { feedStream, feedSubject } from '../infra/names.ts';
import { someEvent } from './support/commits.ts';
import { assertFeedHolds, feedEnd, feedRows, untilFeedReaches, type FeedRow } from './support/feeds.ts';
import { temporaryFolder } from './support/folder.ts';
import { appendMany, collect } from './support/logs.ts';
import { startNats, type TestNats } from './support/nats.ts';
import { until } from './support/until.ts';

/** The feed on a real bus, written out of a log in memory. */

const LOG = 'zone-default';
const STREAM = feedStream(LOG);
const MS_PER_DAY = 86_400_000;

interface Rig {
  readonly nats: TestNats;
  readonly bus: Bus;
  readonly store: MemoryStore;
  readonly eventLog: EventLog;
  /** What writers have told. */
  readonly troubles: string[];
  /** Appends a commit of so many events. */
  readonly append: (events: number, at?: string) => Promise<StoredCommit>;
  /** A writer on a connection of its own, stopped with the test. */
  readonly writer: (bus?: Bus) => FeedWriter;
  /** Waits until the feed holds every event of the log, each once and in order. */
  readonly complete: () => Promise<readonly FeedRow[]>;
}

async function rig(t: ExecutionContext): Promise<Rig> {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const bus = await nats.connect('app');
  const store: MemoryStore = new Map();
  const eventLog = createMemoryLog(store);
  const troubles: string[] = [];
  let head: StoredCommit | null = null;

  async function append(events: number, at = isoTime(Date.now())): Promise<StoredCommit> {
    const version: number = head?.commit.version ?? 0;
    const key = `command-${version + 1}`;
    const commit = nextCommit({
      previous: head,
      newLogId: 'log-of-tests',
      at,
      events: Array.from({ length: events }, (_, index) => someEvent(key, index)),
      commands: [{ key, requestHash: 'hash', outcome: { accepted: true } }],
    });
    head = { commit, ...(await eventLog.append(LOG, version, commit)) };
    return head;
  }

  return {
    nats,
    bus,
    store,
    eventLog,
    troubles,
    append,
    writer(own = bus) {
      const onTrouble = (sentence: string): number => troubles.push(sentence);
      const feed = createBusFeed(own, LOG, 1);
      const writer = new FeedWriter({ log: LOG, eventLog, feed, clock: realClock, onTrouble });
      t.teardown(() => writer.stop());
      return writer;
    },
    async complete() {
      const commits = (await collect(eventLog.read(LOG, 0))).map(({ commit }) => commit);
      const rows = await assertFeedHolds(t, bus, LOG, commits);
      t.is(rows.length, commits.flatMap(({ events }) => events).length);
      return rows;
    },
  };
}

async function emptied(folder: string): Promise<string> {
  await rm(folder, { recursive: true });
  return folder;
}

test('every event of a log is in its feed once, in order, under its agent and its type, with its place', async (t) => {
  const { bus, append, writer, complete } = await rig(t);
  const heard: string[] = [];
  bus.connection.subscribe('muster.feed.>', {
    callback: (_, { headers }) => heard.push(`${headers?.get('Muster-Position')} ${headers?.get('Muster-Index')}`),
  });
  await append(1);
  await append(3);
  const feed = writer();
  await untilFeedReaches(bus, LOG, 4);
  feed.commit(await append(2));
  const rows = await complete();
  t.deepEqual(new Set(rows.map(({ subject }) => subject)), new Set(['muster.feed.default.agent-1.AgentEnabled']));
  const places = ['1 0', '2 0', '2 1', '2 2', '3 0', '3 1'].map((place) => `${LOG}:${place}`);
  t.deepEqual(heard, places);
  const { event, ...envelope } = feedEvent.parse(JSON.parse(rows[2]?.text ?? ''));
  t.deepEqual(envelope, { schemaVersion: 1, logId: 'log-of-tests', position: 'zone-default:2', index: 1, count: 3 });
  t.deepEqual(event as unknown, someEvent('command-2', 1) satisfies AnyEvent);
});

test('writers that are killed at any moment leave neither a gap nor a duplicate to the next one', async (t) => {
  const { nats, bus, append, writer, complete } = await rig(t);
  for (let life = 0; life < 20; life += 1) {
    for (let more = 0; more < 20; more += 1) await append(1 + ((life * 7 + more * 3) % 40));
    const before = await feedEnd(bus, LOG);
    const own = await nats.connect('app');
    const killed = writer(own);
    await untilFeedReaches(bus, LOG, before + 1 + life * 3);
    // What it has sent is partly on the way, and no answer reaches it any more.
    await own.close();
    await killed.stop();
  }
  writer();
  await complete();
});

test('what a crash of the bus cuts off the feed is written again at its place, and consumers go on', async (t) => {
  const { nats, bus, append, writer, complete } = await rig(t);
  const earlier = join(await temporaryFolder(t), 'store');
  const feed = writer();
  const consumed: FeedRow[] = [];
  for (let crash = 0; crash < 3; crash += 1) {
    const commits: StoredCommit[] = [];
    for (let more = 0; more < 200; more += 1) commits.push(await append(40));
    for (const stored of commits) feed.commit(stored);
    await untilFeedReaches(bus, LOG, consumed.length + 100);
    consumed.push(...(await feedRows(bus, LOG, consumed.length)));
    await nats.kill9();
    if (crash === 0) await cp(nats.store, earlier, { recursive: true });
    // A power cut takes more than a kill does: the disk is as it was at the first crash.
    if (crash === 2) await cp(earlier, await emptied(nats.store), { recursive: true });
    await nats.restart();
    await until('the bus is back', async () => bus.isConnected(), Boolean);
    await untilFeedReaches(bus, LOG, consumed.length);
  }
  const rows = await complete();
  t.deepEqual([...consumed, ...(await feedRows(bus, LOG, consumed.length))], [...rows]);
});

test('a queue that runs over is forgotten, and the feed is written out of the log', async (t) => {
  const { bus, append, writer, complete } = await rig(t);
  const feed = writer();
  feed.commit(await append(1));
  await untilFeedReaches(bus, LOG, 1);
  const commits: StoredCommit[] = [];
  for (let more = 0; more < QUEUED_COMMITS * 3 + 10; more += 1) commits.push(await append(2));
  // All at once, so that the writer has no turn in between.
  for (const stored of commits) feed.commit(stored);
  await complete();
});

test('two writers at the same time write every event once', async (t) => {
  const { nats, append, writer, complete } = await rig(t);
  const writers = [writer(await nats.connect('app')), writer(await nats.connect('app'))];
  for (let more = 0; more < 300; more += 1) {
    const stored = await append(1 + (more % 9));
    for (const feed of writers) feed.commit(stored);
  }
  await complete();
});

test('a feed that was deleted is written anew with the same sequences, and its consumer goes on', async (t) => {
  const { bus, append, writer, complete, troubles } = await rig(t);
  const feed = writer();
  for (let more = 0; more < 50; more += 1) feed.commit(await append(3));
  const consumed = (await complete()).slice(0, 100);
  await jetStreamApi(bus, `STREAM.DELETE.${STREAM}`);
  feed.commit(await append(3));
  const rows = await complete();
  t.deepEqual([...consumed, ...(await feedRows(bus, LOG, consumed.length))], [...rows]);
  t.is(troubles.length, 1, troubles.join('\n'));
});

test('a new feed begins with the last 30 days, at sequences that no earlier feed has used', async (t) => {
  const { bus, store, append, writer } = await rig(t);
  const daysAgo = (days: number): string => isoTime(Date.now() - days * MS_PER_DAY);
  for (let old = 0; old < 37; old += 1) await append(256, daysAgo(31));
  for (let young = 0; young < 5; young += 1) await append(2, daysAgo(29));
  // The first of them are not even there any more.
  for (let index = 0; index < 20; index += 1) Reflect.deleteProperty(store.get(LOG) ?? [], index);
  writer();
  await untilFeedReaches(bus, LOG, 37 * 256 + 10);
  const rows = await feedRows(bus, LOG);
  t.is(rows.length, 10);
  t.is(rows[0]?.sequence, 37 * 256 + 1);
  t.like(JSON.parse(rows[0]?.text ?? ''), { position: 'zone-default:38', index: 0 });
});

test('behind the feed of another past nothing is written, and the writer says what to do', async (t) => {
  const { bus, store, append, writer, complete, troubles } = await rig(t);
  const feed = writer();
  for (let more = 0; more < 5; more += 1) feed.commit(await append(2));
  await complete();
  await feed.stop();
  const whole = store.get(LOG) ?? [];
  const elsewhere: MemoryStore = new Map();
  await appendMany(createMemoryLog(elsewhere), LOG, 8);
  for (const past of [whole.slice(0, 2), elsewhere.get(LOG) ?? []]) {
    store.set(LOG, past);
    const wary = writer();
    await until('a trouble', async () => troubles.length, Boolean);
    t.regex(troubles.pop() ?? '', /ends with an event at zone-default:5 .*backup.* delete its stream$/);
    await wary.stop();
    t.is(await feedEnd(bus, LOG), 10);
  }
  store.set(LOG, whole);
  await append(2);
  writer();
  await complete();
});

test('a zone may be called like the fleet, and has a feed of its own', (t) => {
  t.deepEqual(
    ['fleet', 'zone-fleet', 'zone-default'].map((log) => [feedStream(log), feedSubject(log, null, 'ImageDefined')]),
    [
      ['MUSTER_FEED', 'muster.feed.=fleet._.ImageDefined'],
      ['MUSTER_FEED_fleet', 'muster.feed.fleet._.ImageDefined'],
      ['MUSTER_FEED_default', 'muster.feed.default._.ImageDefined'],
    ],
  );
  t.throws(() => feedStream('zone-a.b'), { instanceOf: RangeError });
});
