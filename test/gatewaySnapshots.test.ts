import { hash } from 'node:crypto';
import test from 'ava';
import { aCheckIn, aJoin } from './support/builders.ts';
import { restoreNewest, writeSnapshot, STATE_SCHEMA } from '../gateway/snapshots/snapshot.ts';
import { snapshotInThread } from '../gateway/snapshots/thread.ts';
import { zoneRules } from '../gateway/core/foldRules.ts';
import { readConfig } from '../infra/config/config.ts';
import type { EventLog } from '../infra/log/port.ts';
import { createMemorySnapshots, type MemorySnapshots } from '../infra/snapshots/memory.ts';
import { createObjectStoreSnapshots } from '../infra/snapshots/objectStore.ts';
import { asks, controllerRig, plannedLog, submission, ZONE_LOG } from './support/controllerRig.ts';
import { manualClock } from './support/manualClock.ts';
import { appendMany } from './support/logs.ts';
import { LOG_PASSWORD, startNats } from './support/nats.ts';
import { STORES } from './support/stores.ts';

/** Some of everything: an agent, sessions that run, wait and are over, commands that were carried out. */
async function busyLog() {
  const log = plannedLog();
  const { controller } = await controllerRig(log);
  const join = aJoin('agent-1');
  await controller.submit(submission('join', join, false));
  const checkIn = aCheckIn({ seq: 1, appliedVersion: 1 });
  await controller.submit(submission('c-1', { type: 'RecordCheckIn', checkIn }, false));
  for (let index = 0; index < 10; index += 1) await controller.submit(asks(`k-${index}`));
  await controller.submit(submission('stop', { type: 'StopSession', sessionId: 's-k-1', cause: 'USER' }));
  return { log, controller };
}

function ports(eventLog: EventLog, store: MemorySnapshots, troubles: string[] = []) {
  return {
    log: ZONE_LOG,
    eventLog,
    store: createMemorySnapshots(store),
    rules: zoneRules('default'),
    clock: manualClock(Date.UTC(2026, 0, 1)),
    onTrouble: (sentence: string, cause: unknown) =>
      troubles.push(`${sentence}: ${cause instanceof Error ? cause.message : ''}`),
  };
}

/** The same log, counting how many commits are read from it. */
function counting(inner: EventLog) {
  const read: number[] = [];
  /** Behind which version each reading began. */
  const reads: number[] = [];
  const eventLog: EventLog = {
    ...inner,
    async *read(log, after) {
      reads.push(after);
      for await (const stored of inner.read(log, after)) {
        read.push(stored.commit.version);
        yield stored;
      }
    },
  };
  return { eventLog, read, reads };
}

test('a gateway that starts from a snapshot knows what one knows that has read the whole log, commands included', async (t) => {
  const { log, controller } = await busyLog();
  const store: MemorySnapshots = new Map();
  t.is(await writeSnapshot(ports(log.eventLog, store)), controller.version);
  await controller.submit(asks('after'));
  const { eventLog, reads } = counting(log.eventLog);
  const started = await controllerRig(
    { ...log, eventLog, commits: [], appends: 0 },
    undefined,
    createMemorySnapshots(store),
  );
  t.deepEqual(started.controller.view.state, controller.view.state);
  t.deepEqual(started.controller.view.sessions, controller.view.sessions);
  t.deepEqual(started.controller.view.ended, controller.view.ended);
  t.like(await started.controller.submit(asks('k-3')), { kind: 'accepted', repeated: true });
  const at = controller.version - 1;
  t.deepEqual(reads.slice(0, 3), [at - 1, at, at + 1], 'the commit under the snapshot, what came after, and once more');
});

test('a snapshot is written from the one before, and only when there is something new', async (t) => {
  const { log, controller } = await busyLog();
  const store: MemorySnapshots = new Map();
  const first = await writeSnapshot(ports(log.eventLog, store));
  t.is(await writeSnapshot(ports(log.eventLog, store)), null);
  await controller.submit(asks('more'));
  const { eventLog, read } = counting(log.eventLog);
  t.is(await writeSnapshot(ports(eventLog, store)), controller.version);
  t.true(Math.min(...read) >= (first ?? 0));
});

test('three snapshots are kept of a log, the newest ones', async (t) => {
  const { log, controller } = await busyLog();
  const store: MemorySnapshots = new Map();
  const written: (number | null)[] = [];
  for (const key of ['v', 'w', 'x', 'y', 'z']) {
    await controller.submit(asks(key));
    written.push(await writeSnapshot(ports(log.eventLog, store)));
  }
  const kept = await createMemorySnapshots(store).list(ZONE_LOG);
  t.deepEqual(
    kept.map(({ version }) => version),
    written.toReversed().slice(0, 3),
  );
});

test('a damaged snapshot is left out, with a word, and the one before it is used', async (t) => {
  const { log, controller } = await busyLog();
  const store: MemorySnapshots = new Map();
  const first = await writeSnapshot(ports(log.eventLog, store));
  await controller.submit(asks('more'));
  await writeSnapshot(ports(log.eventLog, store));
  const [newest] = await createMemorySnapshots(store).list(ZONE_LOG);
  for (const [key, { info, bytes }] of store) {
    if (info.version !== newest?.version) continue;
    store.set(key, { info, bytes: Uint8Array.from(bytes, (byte, index) => (index === 40 ? byte ^ 1 : byte)) });
  }
  const troubles: string[] = [];
  const restored = await restoreNewest(ports(log.eventLog, store, troubles));
  t.is(restored?.head?.commit.version, first ?? undefined);
  t.is(troubles.length, 1);
  t.regex(troubles[0] ?? '', new RegExp(`version ${controller.version} is left out: its bytes are gone or damaged`));
});

for (const [what, change, why] of [
  ['another shape of state', { stateSchema: STATE_SCHEMA + 1 }, /state schema/],
  ['another release', { codeVersion: '0.0.1' }, /taken by Muster 0\.0\.1/],
  ['another log', { logId: 'log-of-somebody-else' }, /another history/],
  ['another history', { hash: '0'.repeat(64) }, /another history/],
] as const) {
  test(`a snapshot of ${what} is not used`, async (t) => {
    const { log } = await busyLog();
    const store: MemorySnapshots = new Map();
    await writeSnapshot(ports(log.eventLog, store));
    for (const [key, { info, bytes }] of store) store.set(key, { info: { ...info, ...change }, bytes });
    const troubles: string[] = [];
    t.is(await restoreNewest(ports(log.eventLog, store, troubles)), null);
    t.regex(troubles.join(), why);
  });
}

test('a snapshot that says less or more of itself than it holds is not used', async (t) => {
  const { log } = await busyLog();
  const store: MemorySnapshots = new Map();
  await writeSnapshot(ports(log.eventLog, store));
  const other: MemorySnapshots = new Map();
  const elsewhere = await busyLog();
  await elsewhere.controller.submit(asks('only-here'));
  await writeSnapshot(ports(elsewhere.log.eventLog, other));
  const [strange] = other.values();
  for (const [key, { info }] of store) {
    const bytes = strange?.bytes ?? new Uint8Array();
    store.set(key, { info: { ...info, sha256: hash('sha256', bytes, 'hex'), bytes: bytes.length }, bytes });
  }
  const troubles: string[] = [];
  t.is(await restoreNewest(ports(log.eventLog, store, troubles)), null);
  t.regex(troubles.join(), /what it holds is not what it says of itself/);
});

test('a log that was cut back behind its snapshot is read from the beginning', async (t) => {
  const { log } = await busyLog();
  const store: MemorySnapshots = new Map();
  await writeSnapshot(ports(log.eventLog, store));
  log.store.get(ZONE_LOG)?.splice(3);
  const troubles: string[] = [];
  t.is(await restoreNewest(ports(log.eventLog, store, troubles)), null);
  t.regex(troubles.join(), /the log ends before version/);
});

for (const { name, start } of STORES) {
  test(`a thread of its own writes the snapshot of a log in ${name}, and says what it wrote`, async (t) => {
    const nats = await startNats();
    t.teardown(() => nats.stop());
    const bus = await nats.connect('log');
    const kept = await start(t);
    const eventLog = kept.openLog(bus);
    await appendMany(eventLog, ZONE_LOG, 30);
    const { eventLog: place } = readConfig(kept.env);
    const task = { log: ZONE_LOG, busUrl: nats.url, password: LOG_PASSWORD, replicas: 1, place };
    const { signal } = new AbortController();
    t.deepEqual(await snapshotInThread(task, signal), { version: 30, troubles: [] });
    t.deepEqual(await snapshotInThread(task, signal), { version: null, troubles: [] });
    const store = createObjectStoreSnapshots({ bus });
    const restored = await restoreNewest({ ...ports(eventLog, new Map()), store });
    t.is(restored?.head?.commit.version, 30);
  });
}

test('a thread that cannot reach the bus or is told to end leaves nothing behind', async (t) => {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const task = {
    log: ZONE_LOG,
    busUrl: nats.url,
    password: 'not-the-password',
    replicas: 1,
    place: { kind: 'nats' },
  } as const;
  await t.throwsAsync(snapshotInThread(task, new AbortController().signal), { message: /refused|password/i });
  await t.throwsAsync(snapshotInThread({ ...task, password: LOG_PASSWORD }, AbortSignal.timeout(1)), {
    message: /before it was done/,
  });
});
