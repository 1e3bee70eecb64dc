import { hash } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import { FLEET_LOG, zoneLog, type LogName } from '../../infra/log/port.ts';
import type { SnapshotInfo, SnapshotStore } from '../../infra/snapshots/port.ts';

/** One snapshot store as the contract sees it. Whatever it opened ends with the test. */
export interface SnapshotHarness {
  readonly store: SnapshotStore;
  /** Another user of the same store, as a second gateway is. */
  readonly another: () => Promise<SnapshotStore>;
  /** Spoils the stored bytes of a snapshot, past every check of the adapter; what it says of itself stays. */
  readonly damage: (info: SnapshotInfo) => Promise<void>;
}

const ZONE = zoneLog('default');

type Register = (title: string, implementation: (t: ExecutionContext) => Promise<void>) => void;
type Make = (t: ExecutionContext) => Promise<SnapshotHarness>;

/** What every snapshot store does. Registers the same tests for every adapter. */
export function snapshotContract(test: Register, makeStore: Make): void {
  keeping(test, makeStore);
  distrusting(test, makeStore);
}

function keeping(test: Register, makeStore: Make): void {
  test('a snapshot is read as it was written, by whoever shares the store', async (t) => {
    const { store, another } = await makeStore(t);
    const bytes = someBytes('a', 1_000_000);
    const info = about(ZONE, 17, bytes);
    await store.write(info, bytes);
    const other = await another();
    t.deepEqual(await other.list(ZONE), [info]);
    t.is(digestOf(await other.read(info)), digestOf(bytes));
  });

  test('an empty snapshot is one too', async (t) => {
    const { store } = await makeStore(t);
    const info = about(ZONE, 1, new Uint8Array());
    await store.write(info, new Uint8Array());
    t.is(digestOf(await store.read(info)), digestOf(new Uint8Array()));
  });

  test('the snapshots of a log are listed with the newest version first, and no other log is among them', async (t) => {
    const { store } = await makeStore(t);
    t.deepEqual(await store.list(ZONE), []);
    const infos = new Map<number, SnapshotInfo>();
    for (const version of [9, 100, 20]) {
      const bytes = someBytes(`v${version}`, 100);
      infos.set(version, about(ZONE, version, bytes));
      await store.write(about(ZONE, version, bytes), bytes);
    }
    const fleet = someBytes('fleet', 100);
    await store.write(about(FLEET_LOG, 50, fleet), fleet);
    const dashed = someBytes('dashed', 100);
    await store.write(about(zoneLog('default_2-x'), 60, dashed), dashed);
    t.deepEqual(await store.list(ZONE), [infos.get(100), infos.get(20), infos.get(9)]);
    t.deepEqual(await store.list(FLEET_LOG), [about(FLEET_LOG, 50, fleet)]);
    t.deepEqual(await store.list(zoneLog('default_2-x')), [about(zoneLog('default_2-x'), 60, dashed)]);
  });

  test('another snapshot at the same version takes the place of the first', async (t) => {
    const { store } = await makeStore(t);
    const first = someBytes('first', 600_000);
    const second = someBytes('second', 400_000);
    await store.write(about(ZONE, 5, first), first);
    await store.write(about(ZONE, 5, second), second);
    t.deepEqual(await store.list(ZONE), [about(ZONE, 5, second)]);
    t.is(digestOf(await store.read(about(ZONE, 5, second))), digestOf(second));
    t.is(digestOf(await store.read(about(ZONE, 5, first))), null);
  });

  test('a removed snapshot is gone, and removing what is not there or was replaced removes nothing', async (t) => {
    const { store } = await makeStore(t);
    const [old, young, other] = [someBytes('old', 300_000), someBytes('young', 300_000), someBytes('other', 10)];
    await store.write(about(ZONE, 1, old), old);
    await store.write(about(ZONE, 2, young), young);
    await store.remove(about(ZONE, 1, old));
    await store.remove(about(ZONE, 1, old));
    await store.remove(about(ZONE, 2, other));
    t.is(digestOf(await store.read(about(ZONE, 1, old))), null);
    t.deepEqual(await store.list(ZONE), [about(ZONE, 2, young)]);
    t.is(digestOf(await store.read(about(ZONE, 2, young))), digestOf(young));
  });

  test('the array that was written may be used again', async (t) => {
    const { store } = await makeStore(t);
    const bytes = someBytes('a', 1000);
    const info = about(ZONE, 1, bytes);
    await store.write(info, bytes);
    bytes.fill(0);
    t.is(digestOf(await store.read(info)), digestOf(someBytes('a', 1000)));
  });
}

function distrusting(test: Register, makeStore: Make): void {
  test('a snapshot that is gone or damaged reads as none, and the older one is still good', async (t) => {
    const { store, damage } = await makeStore(t);
    const [old, young] = [someBytes('old', 700_000), someBytes('young', 700_000)];
    await store.write(about(ZONE, 1, old), old);
    await store.write(about(ZONE, 2, young), young);
    t.is(digestOf(await store.read(about(ZONE, 3, young))), null);
    await damage(about(ZONE, 2, young));
    t.is(digestOf(await store.read(about(ZONE, 2, young))), null);
    t.is(digestOf(await store.read(about(ZONE, 1, old))), digestOf(old));
  });

  test('bytes that are not those of the description are refused, and what stood there stays', async (t) => {
    const { store } = await makeStore(t);
    const bytes = someBytes('a', 300_000);
    await store.write(about(ZONE, 1, bytes), bytes);
    const other = someBytes('b', 300_000);
    await t.throwsAsync(store.write(about(ZONE, 1, bytes), other), { instanceOf: RangeError });
    await t.throwsAsync(store.write({ ...about(ZONE, 1, other), bytes: 1 }, other), { instanceOf: RangeError });
    t.is(digestOf(await store.read(about(ZONE, 1, bytes))), digestOf(bytes));
  });

  test('only logs have snapshots', async (t) => {
    const { store } = await makeStore(t);
    const info = { ...about(ZONE, 1, new Uint8Array()), log: 'zone-a.b' };
    await t.throwsAsync(store.list(info.log), { code: 'INVALID_LOG_NAME' });
    await t.throwsAsync(store.read(info), { code: 'INVALID_LOG_NAME' });
    await t.throwsAsync(store.write(info, new Uint8Array()), { code: 'INVALID_LOG_NAME' });
    await t.throwsAsync(store.remove(info), { code: 'INVALID_LOG_NAME' });
  });
}

/** Bytes that differ from one text to the other, in every part. */
export function someBytes(text: string, length: number): Uint8Array {
  return new Uint8Array(Buffer.alloc(length, hash('sha512', text, 'buffer')));
}

export function about(log: LogName, version: number, bytes: Uint8Array): SnapshotInfo {
  return {
    log,
    logId: 'log-of-tests',
    version,
    hash: hash('sha256', `${log}:${version}`, 'hex'),
    stateSchema: 3,
    codeVersion: '1.2.3',
    sha256: hash('sha256', bytes, 'hex'),
    bytes: bytes.length,
    at: '2026-11-01T12:00:00.000Z',
  };
}

/** Bytes by their hash, so that a test that fails does not print them all. */
export function digestOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : hash('sha256', bytes, 'hex');
}
