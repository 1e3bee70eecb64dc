import { EventStoreDBClient } from '@eventstore/db-client';
import test, { type ExecutionContext } from 'ava';
import type { EventStore } from '../infra/eventStore/port.ts';
import { createEventStoreLog } from '../infra/log/eventStore/eventStoreLog.ts';
import type { EventLog, StoredCommit } from '../infra/log/port.ts';
import { eventLogContract } from './contracts/eventLog.ts';
import { someCommit } from './support/commits.ts';
import { startEventStore, type TestEventStore } from './support/eventStore.ts';
import { eventStoreHarness, openStore } from './support/eventStoreHarness.ts';
import { appendMany, collect, startFollowing, versions } from './support/logs.ts';
import { until } from './support/until.ts';

/** Against the tests' own server, which was written from documentation; log.eventStoreReal.test.ts has the real one. */
eventLogContract(test.serial, async (t) => {
  const server = await startEventStore();
  t.teardown(async () => await server.stop());
  return eventStoreHarness(t, server.url, async () => {
    await server.kill9();
    await server.restart();
  });
});

test.serial('every commit acknowledged before a SIGKILL of the store is there after its restart', async (t) => {
  const { server, log, store } = await start(t);
  const acked: StoredCommit[] = [];
  const kills: Promise<void>[] = [];
  const error = await t.throwsAsync(async () => {
    for (;;) {
      const commit = someCommit(acked.at(-1) ?? null, `k${acked.length}`, 3);
      acked.push({ commit, ...(await log.append('fleet', acked.length, commit)) });
      if (acked.length === 100) kills.push(server.kill9());
    }
  });
  t.regex(String(error), /EventStoreDB|no answer/);
  await Promise.all(kills);
  await server.restart();
  await until('the store', async () => store.isConnected(), Boolean);
  const stored = await collect(log.read('fleet', 0));
  t.deepEqual(stored.slice(0, acked.length), acked);
  t.true(stored.length <= acked.length + 1);
});

test.serial(
  'an append whose answer is lost is of unknown outcome; while the store is away nothing is sent',
  async (t) => {
    const { server, log, store } = await start(t);
    const [first] = await appendMany(log, 'fleet', 1);
    await server.pull({ losesAnswers: 1 });
    const second = someCommit(first ?? null, 'second', 2);
    await t.throwsAsync(log.append('fleet', 1, second), { code: 'OUTCOME_UNKNOWN' });
    await until('the store', async () => store.isConnected(), Boolean);
    await log.append('fleet', 1, second);
    t.deepEqual(await versions(log, 'fleet'), [1, 2]);
    await server.kill9();
    await t.throwsAsync(log.append('fleet', 2, { ...second, version: 3 }), { message: /EventStoreDB|no answer/ });
    await until(
      'the loss to be noticed',
      async () => store.isConnected(),
      (connected) => !connected,
    );
    await t.throwsAsync(log.append('fleet', 2, { ...second, version: 3 }), {
      code: 'LOG_UNAVAILABLE',
      message: /Try again once EventStoreDB is back/,
    });
  },
);

test.serial(
  'a store whose disk is full ends, as EventStoreDB does, and with room again goes on from what it has',
  async (t) => {
    const { server, log, store } = await start(t);
    const [first] = await appendMany(log, 'fleet', 1);
    await server.pull({ isFull: true });
    const second = someCommit(first ?? null, 'second');
    await t.throwsAsync(log.append('fleet', 1, second), { code: 'OUTCOME_UNKNOWN' });
    t.is(await server.ended(), 1);
    await server.restart();
    await until('the store', async () => store.isConnected(), Boolean);
    t.deepEqual(await versions(log, 'fleet'), [1]);
    await log.append('fleet', 1, second);
    t.deepEqual(await versions(log, 'fleet'), [1, 2]);
  },
);

test.serial('two gateways that decide one command at one version are not both told that it is written', async (t) => {
  const { log, another } = await start(t);
  const ours = someCommit(null, 'same');
  const theirs = { ...ours, at: '2026-11-01T12:00:01.000Z' };
  t.deepEqual(
    theirs.events.map(({ id }) => id),
    ours.events.map(({ id }) => id),
  );
  await log.append('fleet', 0, ours);
  await t.throwsAsync(another.append('fleet', 0, theirs), { code: 'VERSION_CONFLICT' });
});

for (const [how, remove] of Object.entries({
  deleted: async (client: EventStoreDBClient) => void (await client.deleteStream('fleet-main')),
  tombstoned: async (client: EventStoreDBClient) => void (await client.tombstoneStream('fleet-main')),
  'truncated to nothing': async (_: EventStoreDBClient, store: EventStore) =>
    await store.setLimits('fleet-main', { truncateBefore: 1_000 }),
})) {
  test.serial(`a log whose stream was ${how} is named as lost, and not begun again`, async (t) => {
    const { server, log, another, store } = await start(t);
    await appendMany(log, 'fleet', 2);
    await remove(client(t, server), store);
    const expected = { code: 'LOG_CORRUPT', message: /fleet-main was deleted .*copy the log/ };
    await t.throwsAsync(collect(another.read('fleet', 0)), expected);
    await t.throwsAsync(startFollowing(another, 'fleet', 0).ended, expected);
    await t.throwsAsync(another.append('fleet', 0, someCommit(null, 'new')), expected);
  });
}

test.serial('a follower and a writer learn that the stream was tombstoned under them', async (t) => {
  const { server, log, another } = await start(t);
  const [, second] = await appendMany(log, 'fleet', 2);
  const follower = startFollowing(another, 'fleet', 0);
  await follower.reached(2);
  await client(t, server).tombstoneStream('fleet-main');
  await t.throwsAsync(follower.ended, { code: 'LOG_CORRUPT', message: /deleted/ });
  await t.throwsAsync(log.append('fleet', 2, someCommit(second ?? null, 'late')), { code: 'LOG_CORRUPT' });
});

test.serial('a stream that was truncated in the middle of a commit can be read behind that commit', async (t) => {
  const { log, another, store } = await start(t);
  const first = someCommit(null, 'a', 3);
  const { hash } = await log.append('fleet', 0, first);
  const rest = await appendMany(log, 'fleet', 2, { commit: first, hash });
  await store.setLimits('fleet-main', { truncateBefore: 1 });
  await t.throwsAsync(collect(another.read('fleet', 0)), { code: 'HISTORY_OFFLINE', message: /fleet:2/ });
  t.deepEqual(await collect(another.read('fleet', 1)), rest);
  await appendMany(another, 'fleet', 1, rest.at(-1) ?? null);
});

for (const [name, limit] of Object.entries({ $maxCount: { maxCount: 100 }, $maxAge: { maxAgeSeconds: 100 } })) {
  test.serial(`a log whose stream was given ${name} is refused, and the field is named`, async (t) => {
    const { log, another, store } = await start(t);
    await appendMany(log, 'fleet', 1);
    await store.setLimits('fleet-main', limit);
    await t.throwsAsync(collect(another.read('fleet', 0)), {
      code: 'LOG_UNAVAILABLE',
      message: new RegExp(`\\${name}`),
    });
    await t.throwsAsync(another.append('fleet', 1, { ...someCommit(null, 'a'), version: 2 }), {
      code: 'LOG_UNAVAILABLE',
    });
  });
}

test.serial('the largest commit of many events fits into one append', async (t) => {
  const { log } = await start(t);
  const outcome = { text: 'x'.repeat(3_000) };
  const commands = Array.from({ length: 256 }, (_, index) => ({ key: `k${index}`, requestHash: '', outcome }));
  const commit = { ...someCommit(null, 'many', 256), commands };
  await log.append('fleet', 0, commit);
  t.deepEqual(await versions(log, 'fleet'), [1]);
});

test.serial('a version is found among many commits of different sizes without reading them all', async (t) => {
  const { log, another } = await start(t);
  let head: StoredCommit | null = null;
  const written: StoredCommit[] = [];
  for (let version = 0; version < 60; version += 1) {
    const commit = someCommit(head, `c${version}`, 1 + ((version * 7) % 13));
    head = { commit, ...(await log.append('fleet', version, commit)) };
    written.push(head);
  }
  for (let after = 0; after <= 60; after += 1) {
    for await (const stored of another.read('fleet', after)) {
      t.deepEqual(stored, written[after]);
      break;
    }
  }
});

interface Started {
  readonly server: TestEventStore;
  readonly store: EventStore;
  readonly log: EventLog;
  /** Of another gateway, which knows nothing yet. */
  readonly another: EventLog;
}

async function start(t: ExecutionContext): Promise<Started> {
  const server = await startEventStore();
  t.teardown(async () => await server.stop());
  const store = openStore(t, server.url);
  const log = createEventStoreLog({ store });
  return { server, store, log, another: createEventStoreLog({ store: openStore(t, server.url) }) };
}

function client(t: ExecutionContext, { url }: TestEventStore): EventStoreDBClient {
  const raw = EventStoreDBClient.connectionString(url);
  t.teardown(async () => await raw.dispose());
  return raw;
}
