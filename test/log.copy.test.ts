import test, { type ExecutionContext } from 'ava';
import type { Bus } from '../infra/bus/connect.ts';
import { listEpochs } from '../infra/bus/logStreams.ts';
import { copyLog, type CopyProgress } from '../infra/log/copy.ts';
import { isCopyInterrupted } from '../infra/log/copyErrors.ts';
import { LogError, LogErrorCode } from '../infra/log/errors.ts';
import { createEventStoreLog } from '../infra/log/eventStore/eventStoreLog.ts';
import { createJetStreamLog } from '../infra/log/jetstream/jetStreamLog.ts';
import { logsOf } from '../infra/log/logsOf.ts';
import { createMemoryLog, type MemoryStore } from '../infra/log/memory.ts';
import { FLEET_LOG, zoneLog, type EventLog, type StoredCommit } from '../infra/log/port.ts';
import { sealingCommit, someCommit } from './support/commits.ts';
import { startEventStore } from './support/eventStore.ts';
import { openStore } from './support/eventStoreHarness.ts';
import { appendMany, collect, last } from './support/logs.ts';
import { startNats, type TestNats } from './support/nats.ts';
import { recordedLines } from './support/recorded.ts';

const LOG = zoneLog('default');

test('a log goes to JetStream, to EventStoreDB and back byte for byte: lifted events, ends of epochs, commits of 256 events', async (t) => {
  const first: MemoryStore = new Map([[LOG, (await recordedLines('0.2.0', LOG)).map((line) => Buffer.from(line))]]);
  const source = createMemoryLog(first);
  const before = await last(source, LOG);
  const large = someCommit(before, 'large', 256);
  const { hash } = await source.append(LOG, large.version - 1, large);
  const { bus, log: middle } = await jetStream(t);
  const there = await copyLog({ from: source, to: middle, log: LOG });
  t.like(there, { log: LOG, from: 0, to: large.version, commits: large.version, hash });
  const epochs = await listEpochs({ bus, log: LOG, replicas: 1 });
  t.is(epochs.filter(({ end }) => end !== null).length, 10);
  const { log: other } = await eventStore(t);
  t.deepEqual(await copyLog({ from: middle, to: other, log: LOG }), there);
  const second: MemoryStore = new Map();
  t.deepEqual(await copyLog({ from: other, to: createMemoryLog(second), log: LOG }), there);
  t.deepEqual(second.get(LOG)?.map(textOf), first.get(LOG)?.map(textOf));
});

test('a copy brings what the source had when it began, and the next one what came since', async (t) => {
  const { from, to } = twoLogs();
  const written = await appendMany(from, LOG, 5);
  const adding: Promise<unknown>[] = [];
  const first = await copyLog({
    from,
    to,
    log: LOG,
    onProgress: ({ phase, commits }) => {
      if (phase === 'copying' && commits === 2) adding.push(appendMany(from, LOG, 3, written.at(-1)));
    },
  });
  await Promise.all(adding);
  t.like(first, { from: 0, to: 5, commits: 5, events: 5, hash: written.at(-1)?.hash });
  t.like(await copyLog({ from, to, log: LOG }), { from: 5, to: 8, commits: 3, events: 3 });
  t.like(await copyLog({ from, to, log: LOG }), { from: 8, to: 8, commits: 0, events: 0 });
  t.deepEqual(await collect(to.read(LOG, 0)), await collect(from.read(LOG, 0)));
  const nothing = { log: FLEET_LOG, from: 0, to: 0, commits: 0, events: 0, hash: null };
  t.deepEqual(await copyLog({ from, to, log: FLEET_LOG }), nothing);
});

test('a copy that is stopped ends between two commits, and the next one goes on there', async (t) => {
  const { from, to } = twoLogs();
  const written = await appendMany(from, LOG, 20);
  const stop = new AbortController();
  const onProgress = ({ phase, commits }: CopyProgress): void => {
    if (phase === 'copying' && commits === 7) stop.abort();
  };
  const error = await t.throwsAsync(copyLog({ from, to, log: LOG, onProgress, signal: stop.signal }));
  t.true(isCopyInterrupted(error) && error.reached === 7, String(error));
  t.regex(error?.message ?? '', /behind zone-default:7$/);
  t.deepEqual(await collect(to.read(LOG, 0)), written.slice(0, 7));
  t.like(await copyLog({ from, to, log: LOG }), { from: 7, to: 20, commits: 13 });
});

for (const [store, open] of Object.entries({ JetStream: jetStream, EventStoreDB: eventStore })) {
  test(`${store} may die while it is copied to: it is waited for, and what was written before and after is one log`, async (t) => {
    const from = createMemoryLog();
    const written = await appendMany(from, LOG, 300);
    const { server, log: to } = await open(t);
    const waits: string[] = [];
    const doings: Promise<void>[] = [];
    const result = await copyLog({
      from,
      to,
      log: LOG,
      onProgress: ({ phase, commits }) => {
        if (phase === 'copying' && commits === 100) doings.push(server.kill9());
      },
      onWait: (why) => {
        waits.push(why);
        if (waits.length === 1) doings.push(server.restart());
      },
    });
    await Promise.all(doings);
    t.true(waits.length > 0);
    t.like(result, { to: 300, commits: 300, hash: written.at(-1)?.hash });
    t.deepEqual(await collect(to.read(LOG, 0)), written);
  });
}

test('an answer that is lost is no reason to write a commit twice', async (t) => {
  const { from, to } = twoLogs();
  const written = await appendMany(from, LOG, 3);
  const waits: string[] = [];
  await copyLog({ from, to: losingFirstReply(to), log: LOG, onWait: (why) => waits.push(why) });
  t.deepEqual(waits, ['the answer was lost']);
  t.deepEqual(await collect(to.read(LOG, 0)), written);
});

test('two copies at once into one target write it once, and both say where it ends', async (t) => {
  const from = createMemoryLog();
  const written = await appendMany(from, LOG, 60);
  const seal = sealingCommit(written.at(-1) ?? null);
  const { hash } = await from.append(LOG, 60, seal);
  const { nats, log: to } = await jetStream(t);
  const other = createJetStreamLog({ bus: await nats.connect('log') });
  const [one, two] = await Promise.all([copyLog({ from, to, log: LOG }), copyLog({ from, to: other, log: LOG })]);
  t.like(one, { to: 61, hash });
  t.like(two, { to: 61, hash });
  t.deepEqual(await collect(to.read(LOG, 0)), await collect(from.read(LOG, 0)));
  await other.close();
});

interface Refusal {
  readonly title: string;
  /** What makes it one, on logs of which the target has the first 4 of the source's 6 commits. */
  readonly given: (stores: Stores) => Promise<void>;
  readonly code: string;
  readonly version: number;
}

const REFUSALS: readonly Refusal[] = [
  {
    title: 'holds another log of that name',
    given: async ({ to, toStore }) => {
      toStore.clear();
      await to.append(LOG, 0, { ...someCommit(null, 'other'), logId: 'another-log' });
    },
    code: 'OTHER_LOG',
    version: 1,
  },
  {
    title: 'went on by itself',
    given: async ({ to }) => {
      const own = await appendOwn(to);
      await appendMany(to, LOG, 3, own);
    },
    code: 'TARGET_DIFFERS',
    version: 5,
  },
  {
    title: 'has more than the source',
    given: async ({ from, to }) => {
      for await (const { commit } of from.read(LOG, 4)) await to.append(LOG, commit.version - 1, commit);
      await appendMany(to, LOG, 1, await last(to, LOG));
    },
    code: 'TARGET_AHEAD',
    version: 7,
  },
  {
    title: 'is to get what the source has moved offline',
    given: async ({ fromStore }) => {
      for (const index of [0, 1]) delete fromStore.get(LOG)?.[index];
    },
    code: 'SOURCE_OFFLINE',
    version: 3,
  },
  {
    title: 'has moved offline what is to be compared',
    given: async ({ toStore }) => {
      for (const index of [0, 1, 2]) delete toStore.get(LOG)?.[index];
    },
    code: 'TARGET_OFFLINE',
    version: 4,
  },
];

for (const { title, given, code, version } of REFUSALS) {
  test(`a target that ${title} is refused and left as it is, and it is said what to do`, async (t) => {
    const stores = await partlyCopied();
    await given(stores);
    const before = stores.toStore.get(LOG)?.map(textOf);
    const error = await t.throwsAsync(copyLog({ ...stores, log: LOG }), { name: 'CopyRefused' });
    t.like(error, { code, version });
    t.regex(error instanceof Error && 'remedy' in error ? String(error.remedy) : '', /^[A-Z].*\.$/);
    t.deepEqual(stores.toStore.get(LOG)?.map(textOf), before);
  });
}

test('a target into which somebody else writes meanwhile is refused at that version, and keeps what it was given', async (t) => {
  const { from, to } = await partlyCopied();
  const racing: Promise<StoredCommit>[] = [];
  const onProgress = ({ phase }: CopyProgress): void => {
    if (phase === 'comparing' && racing.length === 0) racing.push(appendOwn(to));
  };
  const error = await t.throwsAsync(copyLog({ from, to, log: LOG, onProgress }), { name: 'CopyRefused' });
  t.like(error, { code: 'TARGET_WRITTEN', version: 5 });
  t.deepEqual(await collect(to.read(LOG, 4)), await Promise.all(racing));
});

for (const side of ['source', 'target'] as const) {
  test(`a broken chain in the ${side} is found before anything is written, and it is said where`, async (t) => {
    const stores = await partlyCopied();
    const commits = (side === 'source' ? stores.fromStore : stores.toStore).get(LOG) ?? [];
    commits[1] = Buffer.from(textOf(commits[1] ?? Buffer.alloc(0)).replace('agent-1', 'agent-2'));
    const before = stores.toStore.get(LOG)?.map(textOf);
    const message = new RegExp(`^the ${side}: zone-default:3: .*hash of the one before`);
    await t.throwsAsync(copyLog({ ...stores, log: LOG }), { code: 'LOG_CORRUPT', message });
    t.deepEqual(stores.toStore.get(LOG)?.map(textOf), before);
  });
}

test('a target that does not keep what it said it had written is noticed', async (t) => {
  const { from, to } = await partlyCopied();
  const forgetful: EventLog = { ...to, append: async (_, version) => ({ hash: (await nth(from, version + 1)).hash }) };
  const copying = copyLog({ from, to: forgetful, log: LOG });
  await t.throwsAsync(copying, { code: 'LOG_CORRUPT', message: /zone-default:6: the target is shorter/ });
});

test('a copy tells how far it has come: what is compared, what is written, what is checked', async (t) => {
  const { from, to } = await partlyCopied();
  const last = new Map<string, CopyProgress>();
  const result = await copyLog({ from, to, log: LOG, onProgress: (progress) => last.set(progress.phase, progress) });
  t.deepEqual(
    [...last.values()],
    [
      { phase: 'comparing', commits: 6, allCommits: null, events: 6 },
      { phase: 'copying', commits: 2, allCommits: 2, events: 2 },
      { phase: 'checking', commits: 2, allCommits: 2, events: 2 },
    ],
  );
  t.like(result, { commits: 2, events: 2 });
});

test("a store's logs are the fleet's and those of all zones that the fleet's log tells of", async (t) => {
  const lines = (await recordedLines('0.2.0', FLEET_LOG)).map((line) => Buffer.from(line));
  const log = createMemoryLog(new Map([[FLEET_LOG, lines]]));
  t.deepEqual(await logsOf(log), ['fleet', 'zone-default']);
  const head = await last(log, FLEET_LOG);
  const commit = someCommit(head, 'zone');
  const [event] = commit.events;
  if (event === undefined) throw new Error('a commit without events');
  const created = { ...event, type: 'ZoneCreated' as const, data: { zone: 'lab' } };
  await log.append(FLEET_LOG, commit.version - 1, { ...commit, events: [created] });
  t.deepEqual(await logsOf(log), ['fleet', 'zone-default', 'zone-lab']);
  t.deepEqual(await logsOf(createMemoryLog()), ['fleet', 'zone-default']);
});

interface Stores {
  readonly from: EventLog;
  readonly to: EventLog;
  readonly fromStore: MemoryStore;
  readonly toStore: MemoryStore;
}

function twoLogs(): Stores {
  const [fromStore, toStore]: [MemoryStore, MemoryStore] = [new Map(), new Map()];
  return { from: createMemoryLog(fromStore), to: createMemoryLog(toStore), fromStore, toStore };
}

/** Six commits in the source, of which the target has four. */
async function partlyCopied(): Promise<Stores> {
  const stores = twoLogs();
  const written = await appendMany(stores.from, LOG, 6);
  for (const { commit } of written.slice(0, 4)) await stores.to.append(LOG, commit.version - 1, commit);
  return stores;
}

/** What a gateway of its own writes into the target. */
async function appendOwn(to: EventLog): Promise<StoredCommit> {
  const commit = someCommit(await last(to, LOG), 'own');
  return { commit, ...(await to.append(LOG, commit.version - 1, commit)) };
}

async function nth(log: EventLog, version: number): Promise<StoredCommit> {
  for await (const stored of log.read(LOG, version - 1)) return stored;
  throw new Error(`there is no ${LOG}:${version}`);
}

/** The same log, which writes and does not say so, once. */
function losingFirstReply(log: EventLog): EventLog {
  let lost = false;
  return {
    ...log,
    async append(name, expected, commit) {
      const written = await log.append(name, expected, commit);
      if (lost) return written;
      lost = true;
      throw new LogError(LogErrorCode.OutcomeUnknown, 'the answer was lost');
    },
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

/** A store that runs for one test. */
interface Running {
  readonly server: { readonly kill9: () => Promise<void>; readonly restart: () => Promise<void> };
  readonly log: EventLog;
}

async function jetStream(t: ExecutionContext): Promise<Running & { readonly nats: TestNats; readonly bus: Bus }> {
  const nats = await startNats();
  t.teardown(async () => await nats.stop());
  const bus = await nats.connect('log');
  const log = createJetStreamLog({ bus });
  t.teardown(async () => await log.close());
  return { server: nats, nats, bus, log };
}

async function eventStore(t: ExecutionContext): Promise<Running> {
  const server = await startEventStore();
  t.teardown(async () => await server.stop());
  const log = createEventStoreLog({ store: openStore(t, server.url) });
  t.teardown(async () => await log.close());
  return { server, log };
}
