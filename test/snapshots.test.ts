import test from 'ava';
import { StringCodec } from 'nats';
import { jetStreamApi, publishAcked, subjectsOf } from '../infra/bus/api.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { zoneLog } from '../infra/log/port.ts';
import { SNAPSHOTS_STREAM, SNAPSHOT_PARTS } from '../infra/names.ts';
import { createMemorySnapshots, type MemorySnapshots } from '../infra/snapshots/memory.ts';
import { createObjectStoreSnapshots } from '../infra/snapshots/objectStore.ts';
import { about, digestOf, snapshotContract, someBytes, type SnapshotHarness } from './contracts/snapshots.ts';
import { damageSnapshot } from './support/snapshots.ts';
import { startNats, type TestNats } from './support/nats.ts';
import { until } from './support/until.ts';

const ZONE = zoneLog('default');

/** One server for all tests but those that stop it; each begins without a bucket. */
let shared: TestNats | null = null;

test.before(async () => {
  shared = await startNats();
});

test.after.always(async () => {
  await shared?.stop();
});

snapshotContract(
  (title, implementation) => test(`in memory: ${title}`, implementation),
  async (): Promise<SnapshotHarness> => {
    const store: MemorySnapshots = new Map();
    return {
      store: createMemorySnapshots(store),
      another: async () => createMemorySnapshots(store),
      damage: async (info) => {
        const kept = [...store.values()].find((one) => one.info.sha256 === info.sha256);
        if (kept !== undefined) kept.bytes[kept.bytes.length - 1] = (kept.bytes.at(-1) ?? 0) + 1;
      },
    };
  },
);

snapshotContract(
  (title, implementation) => test.serial(`in the object store: ${title}`, implementation),
  async (): Promise<SnapshotHarness> => {
    const { nats, bus } = await begin();
    return {
      store: createObjectStoreSnapshots({ bus }),
      another: async () => createObjectStoreSnapshots({ bus: await nats.connect('log') }),
      damage: (info) => damageSnapshot(bus, info),
    };
  },
);

test.serial('the object store of the client reads what was written, so that its command line does', async (t) => {
  const { bus } = await begin();
  const bytes = someBytes('a', 700_000);
  const info = about(ZONE, 17, bytes);
  await createObjectStoreSnapshots({ bus }).write(info, bytes);
  const bucket = await bus.connection.jetstream().views.os('MUSTER_SNAPSHOTS');
  t.deepEqual(
    (await bucket.list()).map(({ name, size, chunks }) => ({ name, size, chunks })),
    [{ name: 'zone-default/17', size: 700_000, chunks: 3 }],
  );
  t.is(digestOf(await bucket.getBlob('zone-default/17')), digestOf(bytes));
});

test.serial('an object that somebody put into the bucket is no snapshot and disturbs none', async (t) => {
  const { bus } = await begin();
  const store = createObjectStoreSnapshots({ bus });
  const bytes = someBytes('a', 100);
  await store.write(about(ZONE, 1, bytes), bytes);
  const bucket = await bus.connection.jetstream().views.os('MUSTER_SNAPSHOTS');
  await bucket.putBlob({ name: 'zone-default/2' }, StringCodec().encode('by hand'));
  await bucket.putBlob({ name: 'notes' }, StringCodec().encode('by hand'));
  t.deepEqual(await store.list(ZONE), [about(ZONE, 1, bytes)]);
});

test.serial('what a writer left that died before the end is gone after the next snapshot of that log', async (t) => {
  const { bus } = await begin();
  const store = createObjectStoreSnapshots({ bus });
  const bytes = someBytes('a', 100);
  await store.write(about(ZONE, 1, bytes), bytes);
  const [left, underWay] = ['zone-default_4_left', 'zone-default_6_under-way'];
  for (const nuid of [left, underWay]) await publishAcked(bus, `${SNAPSHOT_PARTS}${nuid}`, bytes);
  await store.write(about(ZONE, 5, bytes), bytes);
  const parts = await subjectsOf(bus, SNAPSHOTS_STREAM, `${SNAPSHOT_PARTS}>`);
  t.is(parts.length, 3);
  t.false(parts.some((subject) => subject.endsWith(left)));
  t.deepEqual(await store.list(ZONE), [about(ZONE, 5, bytes), about(ZONE, 1, bytes)]);
});

test('while the bus is away snapshots can neither be written nor read, and it works again afterwards', async (t) => {
  const nats = await startNats();
  t.teardown(async () => await nats.stop());
  const bus = await nats.connect('log');
  const store = createObjectStoreSnapshots({ bus });
  const bytes = someBytes('a', 300_000);
  const info = about(ZONE, 1, bytes);
  await store.write(info, bytes);
  await nats.kill9();
  await until(
    'noticing the loss',
    async () => bus.isConnected(),
    (connected) => !connected,
  );
  for (const refused of [store.list(ZONE), store.read(info), store.write(info, bytes), store.remove(info)]) {
    await t.throwsAsync(refused, {
      code: 'LOG_UNAVAILABLE',
      message: /snapshots of zone-default.*once the bus is back/,
    });
  }
  await nats.restart();
  await until(
    'the bus',
    async () => bus.isConnected(),
    (connected) => connected,
  );
  t.deepEqual(await store.list(ZONE), [info]);
  t.is(digestOf(await store.read(info)), digestOf(bytes));
});

test.serial('a bucket that was given a limit is refused, and the field is named', async (t) => {
  const { nats, bus } = await begin();
  await createObjectStoreSnapshots({ bus }).list(ZONE);
  const info = await jetStreamApi(bus, `STREAM.INFO.${SNAPSHOTS_STREAM}`);
  await jetStreamApi(bus, `STREAM.UPDATE.${SNAPSHOTS_STREAM}`, { ...Object(info['config']), max_age: 1e12 });
  const store = createObjectStoreSnapshots({ bus: await nats.connect('log') });
  await t.throwsAsync(store.list(ZONE), { code: 'LOG_UNAVAILABLE', message: /max_age/ });
});

async function begin(): Promise<{ readonly nats: TestNats; readonly bus: Bus }> {
  if (shared === null) throw new Error('the server did not start');
  const bus = await shared.connect('log');
  const streams = await bus.connection.jetstreamManager();
  for await (const { config } of streams.streams.list()) await streams.streams.delete(config.name);
  return { nats: shared, bus };
}
