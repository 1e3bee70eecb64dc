import test, { type ExecutionContext } from 'ava';
import { headers } from 'nats';
import { jetStreamApi, objectIn, publishAcked } from '../infra/bus/api.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { listEpochs, makeEpoch, sealEpoch, type LogPlace } from '../infra/bus/logStreams.ts';
import { encodeCommit } from '../infra/log/codec.ts';
import { createJetStreamLog } from '../infra/log/jetstream/jetStreamLog.ts';
import { zoneLog, type EventLog, type StoredCommit } from '../infra/log/port.ts';
import { logEpochOf, logStream, logSubject, sealedSubject } from '../infra/names.ts';
import { sealingCommit, someCommit } from './support/commits.ts';
import { appendMany, collect, startFollowing } from './support/logs.ts';
import { startNats, type TestNats } from './support/nats.ts';

/** How a log goes from one epoch to the next on JetStream: one server for all tests, a log of its own for each. */
let shared: TestNats | null = null;
let logs = 0;

test.before(async () => {
  shared = await startNats();
});

test.after.always(async () => {
  await shared?.stop();
});

test.serial(
  'a seal ends the stream of its epoch, and the next one has the subject and knows where it begins',
  async (t) => {
    const { bus, log, place } = await begin(t);
    await sealedAfter(log, place.log, 2);
    t.deepEqual(await listEpochs(place), [
      { number: 1, stream: logStream(place.log, 1), base: 0, end: 3 },
      { number: 2, stream: logStream(place.log, 2), base: 3, end: null },
    ]);
    const old = await jetStreamApi(bus, `STREAM.INFO.${logStream(place.log, 1)}`);
    t.like(objectIn(old, 'config'), { subjects: [sealedSubject(place.log, 1)], sealed: true, deny_delete: true });
    const parked = publishAcked(bus, sealedSubject(place.log, 1), Buffer.from('{}'));
    await t.throwsAsync(parked, { code: 'JETSTREAM_REFUSED', message: /sealed/ });
  },
);

test.serial('who expects the old epoch never writes into the new one', async (t) => {
  const { bus, log, place } = await begin(t);
  await sealedAfter(log, place.log, 2);
  for (const sequence of ['0', '3']) {
    const deposed = headers();
    deposed.set('Nats-Expected-Stream', logStream(place.log, 1));
    deposed.set('Nats-Expected-Last-Subject-Sequence', sequence);
    const late = publishAcked(bus, logSubject(place.log), Buffer.from('{}'), deposed);
    await t.throwsAsync(late, { code: 'JETSTREAM_REFUSED', message: /expected stream/ });
  }
});

test.serial('a writer and a reader that knew only the old epoch go on in the new one', async (t) => {
  const { log, another, place } = await begin(t);
  const other = await another();
  const written = await appendMany(other, place.log, 2);
  t.deepEqual(await collect(log.read(place.log, 0)), written);
  written.push(await sealed(other, place.log, written));
  written.push(...(await appendMany(other, place.log, 2, written.at(-1) ?? null)));
  written.push(...(await appendMany(log, place.log, 1, written.at(-1) ?? null)));
  t.deepEqual(await collect(log.read(place.log, 0)), written);
  t.deepEqual(await collect(other.read(place.log, 4)), written.slice(4));
});

for (const [who, goOn] of Object.entries({
  writer: async (log: EventLog, name: string, head: StoredCommit) => {
    await appendMany(log, name, 1, head);
  },
  follower: async (log: EventLog, name: string) => {
    const follower = startFollowing(log, name, 3);
    await appendMany(log, name, 1, (await collect(log.read(name, 2)))[0] ?? null);
    await follower.reached(4);
    await follower.stop();
  },
})) {
  test.serial(`the next ${who} takes the steps that were left by one who died while the epoch changed`, async (t) => {
    for (const died of ['behind the seal', 'with the old stream ended', 'with the new stream made'] as const) {
      const { bus, another, place } = await begin(t);
      const written = await appendMany(await another(), place.log, 2);
      const seal = sealingCommit(written.at(-1) ?? null);
      const { bytes, hash } = encodeCommit(seal);
      await publishAcked(bus, logSubject(place.log), bytes);
      const [first] = await listEpochs(place);
      if (first === undefined) throw new Error('the log has no epoch');
      if (died !== 'behind the seal') await sealEpoch(place, first);
      if (died === 'with the new stream made') await makeEpoch(place, 2, 3);
      t.is((await collect((await another()).read(place.log, 0))).length, 3, died);
      await goOn(await another(), place.log, { commit: seal, hash });
      t.deepEqual(
        (await listEpochs(place)).map(({ number, base, end }) => ({ number, base, end })),
        [
          { number: 1, base: 0, end: 3 },
          { number: 2, base: 3, end: null },
        ],
        died,
      );
      t.is((await collect((await another()).read(place.log, 0))).length, 4, died);
    }
  });
}

test.serial('every step of a change of epoch may be taken twice, and by two at a time', async (t) => {
  const { log, another, place } = await begin(t);
  const written = await appendMany(log, place.log, 1);
  const [first] = await listEpochs(place);
  if (first === undefined) throw new Error('the log has no epoch');
  await Promise.all([sealEpoch(place, first), sealEpoch(place, first)]);
  await sealEpoch(place, first);
  await Promise.all([makeEpoch(place, 2, 1), makeEpoch(place, 2, 1)]);
  await makeEpoch(place, 2, 1);
  await appendMany(await another(), place.log, 1, written[0] ?? null);
  t.is((await collect(log.read(place.log, 0))).length, 2);
});

test.serial('an epoch that does not say where it begins, or says it wrongly, is refused by name', async (t) => {
  const { bus, log, another, place } = await begin(t);
  await sealedAfter(log, place.log, 2);
  const stream = logStream(place.log, 2);
  const config = objectIn(await jetStreamApi(bus, `STREAM.INFO.${stream}`), 'config');
  await jetStreamApi(bus, `STREAM.UPDATE.${stream}`, { ...config, metadata: {} });
  const silent = (await another()).append(place.log, 3, { ...someCommit(null, 'a'), version: 4 });
  await t.throwsAsync(silent, { code: 'LOG_UNAVAILABLE', message: new RegExp(`${stream} .*muster-base`) });
  await jetStreamApi(bus, `STREAM.UPDATE.${stream}`, { ...config, metadata: { 'muster-base': '7' } });
  await t.throwsAsync(collect((await another()).read(place.log, 0)), {
    code: 'LOG_CORRUPT',
    message: /ends at version 3/,
  });
});

test.serial('a gap in what was moved offline counts as all of it up to the gap', async (t) => {
  const { bus, log, another, place } = await begin(t);
  const written = await sealedAfter(log, place.log, 1);
  written.push(await sealed(log, place.log, written, 2));
  written.push(...(await appendMany(log, place.log, 1, written.at(-1) ?? null)));
  await jetStreamApi(bus, `STREAM.DELETE.${logStream(place.log, 2)}`);
  const other = await another();
  await t.throwsAsync(collect(other.read(place.log, 0)), { code: 'HISTORY_OFFLINE', message: /begins at .*:4$/ });
  t.deepEqual(await collect(other.read(place.log, 3)), written.slice(3));
});

test('a stream is an epoch of the one log that it is named after', (t) => {
  t.is(logEpochOf('fleet', 'MUSTER_EVENTS_fleet_12'), 12);
  t.is(logEpochOf('zone-a', 'MUSTER_EVENTS_zone_a_1'), 1);
  t.is(logEpochOf('zone-a', 'MUSTER_EVENTS_zone_a_1_1'), null);
  t.is(logEpochOf('zone-a_1', 'MUSTER_EVENTS_zone_a_1_1'), 1);
  for (const other of ['MUSTER_EVENTS_zone_a', 'MUSTER_EVENTS_zone_a_0', 'MUSTER_EVENTS_zone_a_01', 'KV_zone_a_1']) {
    t.is(logEpochOf('zone-a', other), null, other);
  }
});

interface Begun {
  readonly bus: Bus;
  readonly log: EventLog;
  readonly another: () => Promise<EventLog>;
  readonly place: LogPlace;
}

/** A log that nobody has written to. */
async function begin(t: ExecutionContext): Promise<Begun> {
  if (shared === null) throw new Error('the server did not start');
  const nats = shared;
  const bus = await nats.connect('log');
  logs += 1;
  const open = (on: Bus) => {
    const log = createJetStreamLog({ bus: on });
    t.teardown(() => log.close());
    return log;
  };
  const place = { bus, log: zoneLog(`seal-${logs}`), replicas: 1 };
  return { bus, log: open(bus), another: async () => open(await nats.connect('log')), place };
}

/** So many commits and a seal. */
async function sealedAfter(log: EventLog, name: string, count: number): Promise<StoredCommit[]> {
  const written = await appendMany(log, name, count);
  return [...written, await sealed(log, name, written)];
}

async function sealed(log: EventLog, name: string, written: readonly StoredCommit[], epoch = 1): Promise<StoredCommit> {
  const commit = sealingCommit(written.at(-1) ?? null, epoch);
  return { commit, ...(await log.append(name, written.length, commit)) };
}
