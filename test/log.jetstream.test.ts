import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { jetStreamApi, objectIn, publishAcked } from '../infra/bus/api.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { makeEpoch } from '../infra/bus/logStreams.ts';
import { orderedMessages } from '../infra/bus/ordered.ts';
import { Epochs } from '../infra/log/epochs.ts';
import { isLogUnavailable, isOutcomeUnknown } from '../infra/log/errors.ts';
import { createJetStreamLog } from '../infra/log/jetstream/jetStreamLog.ts';
import { follow } from '../infra/log/jetstream/read.ts';
import type { EventLog, StoredCommit } from '../infra/log/port.ts';
import { logStream, logSubject } from '../infra/names.ts';
import { eventLogContract } from './contracts/eventLog.ts';
import type { LogHarness } from './contracts/logHarness.ts';
import { someCommit } from './support/commits.ts';
import { temporaryFolder } from './support/folder.ts';
import { appendMany, collect } from './support/logs.ts';
import { makeFirstEpoch, moveOffline } from './support/logStreams.ts';
import { startNats, type TestNats } from './support/nats.ts';
import { until } from './support/until.ts';

eventLogContract(test, async (t): Promise<LogHarness> => {
  const { nats, bus, log } = await start(t);
  return {
    log,
    another: async () => closing(t, createJetStreamLog({ bus: await nats.connect('log') })),
    appendRaw: async (name, bytes) => {
      await makeFirstEpoch({ bus, log: name, replicas: 1 });
      await publishAcked(bus, logSubject(name), bytes);
    },
    moveOffline: (name) => moveOffline({ bus, log: name, replicas: 1 }),
    disturb: async () => {
      const away = connectionChange(bus, false);
      await nats.kill9();
      await away;
      await nats.restart();
      await connectedAgain(bus);
    },
  };
});

test('every commit acknowledged before a SIGKILL of the server is there after its restart', async (t) => {
  const { nats, bus, log } = await start(t);
  const acked: StoredCommit[] = [];
  const kills: Promise<void>[] = [];
  const error = await appendUntilError(log, acked, () => {
    if (acked.length === 200) kills.push(nats.kill9());
  });
  t.true(isOutcomeUnknown(error) || isLogUnavailable(error), String(error));
  await Promise.all(kills);
  await nats.restart();
  await connectedAgain(bus);
  const stored = await collect(log.read('fleet', 0));
  t.deepEqual(stored.slice(0, acked.length), acked);
  t.true(stored.length <= acked.length + 1);
});

test('what is in flight when the connection is lost is of unknown outcome, and nothing is sent while it is away', async (t) => {
  const { nats, bus, log } = await start(t);
  await log.append('fleet', 0, someCommit(null, 'first'));
  process.kill(nats.pid(), 'SIGSTOP');
  const hanging = log.append('fleet', 1, { ...someCommit(null, 'second'), version: 2 });
  const failed = t.throwsAsync(hanging, { code: 'OUTCOME_UNKNOWN' });
  const away = connectionChange(bus, false);
  await nats.kill9();
  await away;
  await failed;
  const third = log.append('fleet', 1, { ...someCommit(null, 'third'), version: 2 });
  await t.throwsAsync(third, { code: 'LOG_UNAVAILABLE' });
});

test('a log that grows past where a follower begins, while it looks how far the log reaches, loses it nothing', async (t) => {
  const { bus, log } = await start(t);
  const written = await appendMany(log, 'fleet', 1);
  const epochs = new Epochs(bus, 1);
  const sound = new Epochs(bus, 1);
  let looks = 0;
  epochs.after = async (name, version) => {
    looks += 1;
    if (looks > 1) return await sound.after(name, version);
    written.push(...(await appendMany(log, 'fleet', 4, written.at(-1) ?? null)));
    return null;
  };
  const ending = new AbortController();
  const seen: number[] = [];
  for await (const { commit } of follow({ bus, epochs, signal: ending.signal }, 'fleet', 3)) {
    seen.push(commit.version);
    if (commit.version === written.length) ending.abort();
  }
  t.deepEqual(seen, [4, 5]);
});

test('a copy that is behind its leader is waited for and not taken for the end of the log', async (t) => {
  const { bus, log } = await start(t);
  const written = await appendMany(log, 'fleet', 1);
  const stream = logStream('fleet', 1);
  // As `read` asks a copy that has version 1 after the leader has told it of version 2.
  const { signal } = new AbortController();
  const reading = collect(orderedMessages(bus, { stream, start: { kind: 'after', sequence: 1 }, upTo: 2, signal }));
  await until(
    'a reader on the stream',
    async () => objectIn(await jetStreamApi(bus, `STREAM.INFO.${stream}`), 'state')['consumer_count'],
    (readers) => readers === 1,
  );
  await appendMany(log, 'fleet', 1, written[0] ?? null);
  t.deepEqual(
    (await reading).map(({ sequence }) => sequence),
    [2],
  );
});

test('whoever has read leaves nothing behind in the bus, however often he reads', async (t) => {
  const { bus, log } = await start(t);
  await appendMany(log, 'fleet', 3);
  for (let times = 0; times < 50; times += 1) t.is((await collect(log.read('fleet', 0))).length, 3);
  for await (const { commit } of log.read('fleet', 0)) if (commit.version === 1) break;
  await until(
    'no reader on the stream',
    async () => objectIn(await jetStreamApi(bus, `STREAM.INFO.${logStream('fleet', 1)}`), 'state')['consumer_count'],
    (readers) => readers === 0,
    10_000,
  );
  t.is((await collect(log.read('fleet', 0))).length, 3);
});

test('a log whose stream was given a limit is refused, and the field is named', async (t) => {
  const { nats, bus } = await start(t);
  await makeEpoch({ bus, log: 'fleet', replicas: 1 }, 1, 0);
  const info = await jetStreamApi(bus, 'STREAM.INFO.MUSTER_EVENTS_fleet_1');
  await jetStreamApi(bus, 'STREAM.UPDATE.MUSTER_EVENTS_fleet_1', { ...Object(info['config']), max_msgs: 10 });
  const log = closing(t, createJetStreamLog({ bus: await nats.connect('log') }));
  const append = log.append('fleet', 0, someCommit(null, 'a'));
  await t.throwsAsync(append, { code: 'LOG_UNAVAILABLE', message: /max_msgs/ });
});

test('a store that is full says so, says what to do, and keeps what it has', async (t) => {
  const folder = await temporaryFolder(t);
  const conf = join(folder, 'small.conf');
  const whole = await readFile(join(import.meta.dirname, '../nats.conf'), 'utf8');
  await writeFile(conf, whole.replace('sync_interval: always', 'sync_interval: always\n  max_file_store: 2MB'));
  const { log } = await start(t, conf);
  const acked: StoredCommit[] = [];
  const error = await appendUntilError(log, acked, () => undefined, 'x'.repeat(200_000));
  t.like(error, { code: 'LOG_UNAVAILABLE' });
  t.regex(String(error), /free disk space/i);
  t.true(acked.length > 3);
  t.deepEqual(await collect(log.read('fleet', 0)), acked);
});

test('when nobody answers for a log, the advice is to try again before it is to free disk space', async (t) => {
  const { bus, log } = await start(t);
  const written = await appendMany(log, 'fleet', 1);
  await jetStreamApi(bus, `STREAM.DELETE.${logStream('fleet', 1)}`);
  const append = log.append('fleet', 1, someCommit(written[0] ?? null, 'a'));
  await t.throwsAsync(append, { code: 'LOG_UNAVAILABLE', message: /Try again.* free disk space/ });
});

test('nothing can be deleted from a log or purged, not even by a gateway', async (t) => {
  const { bus, log } = await start(t);
  await log.append('fleet', 0, someCommit(null, 'a'));
  const stream = 'MUSTER_EVENTS_fleet_1';
  await t.throwsAsync(jetStreamApi(bus, `STREAM.MSG.DELETE.${stream}`, { seq: 1 }), { code: 'JETSTREAM_REFUSED' });
  await t.throwsAsync(jetStreamApi(bus, `STREAM.PURGE.${stream}`), { code: 'JETSTREAM_REFUSED' });
});

test('the other account neither sees a log nor can write to it', async (t) => {
  const { nats, log } = await start(t);
  await log.append('fleet', 0, someCommit(null, 'a'));
  const app = await nats.connect('app');
  await t.throwsAsync(publishAcked(app, 'muster.event.fleet', Buffer.from('{}')), { code: 'JETSTREAM_AWAY' });
  await t.throwsAsync(jetStreamApi(app, 'STREAM.INFO.MUSTER_EVENTS_fleet_1'), { code: 'JETSTREAM_REFUSED' });
});

interface Started {
  readonly nats: TestNats;
  readonly bus: Bus;
  readonly log: EventLog;
}

async function start(t: ExecutionContext, conf?: string): Promise<Started> {
  const nats = await startNats(conf === undefined ? {} : { conf });
  t.teardown(async () => await nats.stop());
  const bus = await nats.connect('log');
  return { nats, bus, log: closing(t, createJetStreamLog({ bus })) };
}

function closing(t: ExecutionContext, log: EventLog): EventLog {
  t.teardown(async () => await log.close());
  return log;
}

/** Appends one commit after the other, noting those that were acknowledged, until one is not; gives that error. */
async function appendUntilError(log: EventLog, acked: StoredCommit[], onAck: () => void, text = ''): Promise<unknown> {
  for (;;) {
    const commands = [{ key: 'key', requestHash: '', outcome: { text } }];
    const commit = { ...someCommit(acked.at(-1) ?? null, `k${acked.length}`), commands };
    try {
      acked.push({ commit, ...(await log.append('fleet', acked.length, commit)) });
      onAck();
    } catch (error) {
      return error;
    }
  }
}

async function connectedAgain(bus: Bus): Promise<void> {
  const returned = connectionChange(bus, true);
  if (!bus.isConnected()) await returned;
}

async function connectionChange(bus: Bus, wanted: boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = bus.onChange((connected) => {
    if (connected === wanted) resolve();
  });
  await promise;
  stop();
}
