import test, { type ExecutionContext } from 'ava';
import { ErrorCode, NatsError } from 'nats';
import type { CheckIn } from '../domain/checkIn.ts';
import type { DesiredDocument } from '../domain/desired.ts';
import { getMessage, jetStreamApi, objectIn, publishAcked } from '../infra/bus/api.ts';
import { followCheckIns, publishCheckIn, readCheckIns, type MalformedCheckIn } from '../infra/bus/checkIns.ts';
import type { ReceivedCheckIn } from '../infra/bus/checkIns.ts';
import { connectBus, type Bus } from '../infra/bus/connect.ts';
import { putDesired, readDesired, watchDesired } from '../infra/bus/desired.ts';
import { isBusRefused, isBusUnreachable, isBusWithoutTls, isStreamDifferent } from '../infra/bus/errors.ts';
import { parsePlace } from '../infra/bus/ordered.ts';
import { ensureCheckIns, ensureDesired, ensureLeases } from '../infra/bus/streams.ts';
import { realClock } from '../infra/clock.ts';
import { createBusLeases } from '../infra/leases/bus.ts';
import { checkInSubject, desiredSubject } from '../infra/names.ts';
import { collect } from './support/logs.ts';
import { APP_PASSWORD, startNats, type TestNats } from './support/nats.ts';
import { checkInMessage, storeCheckIns } from './support/storedCheckIns.ts';

test('a bus that is not there is tried until the signal, and then unreachable', async (t) => {
  const signal = AbortSignal.timeout(500);
  const options = { url: 'nats://127.0.0.1:1', user: 'u', password: 'p', name: 'n', signal };
  t.true(isBusUnreachable(await t.throwsAsync(connectBus(options))));
});

test('wrong credentials are refused at once', async (t) => {
  const nats = await startServer(t);
  const options = {
    url: nats.url,
    user: 'muster-app',
    password: 'wrong',
    name: 'n',
    signal: AbortSignal.timeout(20_000),
  };
  const error = await t.throwsAsync(connectBus(options));
  t.true(isBusRefused(error), String(error));
});

test('a bus that does not speak TLS is refused at once where the address asks for it', async (t) => {
  const nats = await startServer(t);
  const options = {
    url: nats.url.replace('nats://', 'tls://'),
    user: 'muster-app',
    password: APP_PASSWORD,
    name: 'n',
    signal: AbortSignal.timeout(20_000),
  };
  const error = await t.throwsAsync(connectBus(options), { message: /does not speak TLS/ });
  t.true(isBusWithoutTls(error), String(error));
});

test('a connection comes back by itself and says so', async (t) => {
  const { nats, bus } = await start(t);
  const away = change(bus, false);
  await nats.kill9();
  await away;
  t.false(bus.isConnected());
  t.false(publishCheckIn(bus, 'default', someCheckIn('a', 1)));
  const back = change(bus, true);
  await nats.restart();
  await back;
  t.true(publishCheckIn(bus, 'default', someCheckIn('a', 2)));
});

test('any number may ask the bus for its time at once', async (t) => {
  const { nats } = await start(t);
  const bus = await nats.connect('log');
  await ensureLeases(bus, 1);
  const leases = createBusLeases(bus, realClock);
  const times = await Promise.all(Array.from({ length: 20 }, () => leases.time()));
  for (const { ms, withinMs } of times) t.true(Math.abs(Date.now() - ms) < 10_000 && withinMs < 10_000);
});

test('streams are made once, and a live configuration that differs is named', async (t) => {
  const { bus } = await start(t);
  await ensureCheckIns(bus, 1);
  await ensureDesired(bus, 1);
  const info = await jetStreamApi(bus, 'STREAM.INFO.KV_MUSTER_DESIRED');
  await jetStreamApi(bus, 'STREAM.UPDATE.KV_MUSTER_DESIRED', { ...Object(info['config']), max_msgs_per_subject: 5 });
  const error = await t.throwsAsync(ensureDesired(bus, 1), { message: /max_msgs_per_subject = 5, but 1/ });
  t.true(isStreamDifferent(error));
});

test('a server that answers late is asked again when streams are made', async (t) => {
  const { bus } = await start(t);
  const late = (times: number): Bus => {
    let left = times;
    const request: Bus['connection']['request'] = async (subject, payload, options) => {
      left -= 1;
      if (left >= 0) throw new NatsError('timeout', ErrorCode.Timeout);
      return await bus.connection.request(subject, payload, options);
    };
    const connection = new Proxy(bus.connection, {
      get: (real, name): unknown => (name === 'request' ? request : Reflect.get(real, name, real)),
    });
    return { ...bus, connection };
  };
  await t.throwsAsync(ensureLeases(late(100), 1), { code: 'BUS_NO_ANSWER' });
  await ensureLeases(late(5), 1);
  t.is(objectIn(await jetStreamApi(bus, 'STREAM.INFO.KV_MUSTER_LEASES'), 'config')['num_replicas'], 1);
});

test('check-ins are not acknowledged, by a stream of an earlier release neither, which keeps what it has', async (t) => {
  const nats = await startServer(t);
  const bus = await nats.connect('app');
  await ensureCheckIns(bus, 1);
  const configOf = async () => objectIn(await jetStreamApi(bus, 'STREAM.INFO.MUSTER_CHECKINS'), 'config');
  t.is((await configOf())['no_ack'], true);
  const { no_ack: _, ...earlier } = await configOf();
  await jetStreamApi(bus, 'STREAM.DELETE.MUSTER_CHECKINS');
  await jetStreamApi(bus, 'STREAM.CREATE.MUSTER_CHECKINS', earlier);
  const [subject, body] = checkInMessage(someCheckIn('a', 1));
  t.is(await publishAcked(bus, subject, Buffer.from(body)), 1);

  await ensureCheckIns(bus, 1);
  t.deepEqual({ ...(await configOf()), metadata: null }, { ...earlier, no_ack: true, metadata: null });
  // Whatever subject the answer is wanted on: another agent's check-ins, for example.
  const reply = checkInSubject('default', 'victim');
  const [, next] = checkInMessage(someCheckIn('a', 2));
  bus.connection.publish(subject, next, { reply });
  await storeCheckIns(bus, checkInMessage(someCheckIn('a', 3)));
  t.is(await getMessage(bus, 'MUSTER_CHECKINS', { last_by_subj: reply }), null);
  const { signal } = new AbortController();
  const read = await collect(readCheckIns(bus, { since: '2000-01-01T00:00:00.000Z', signal }));
  t.deepEqual(
    read.map(({ checkIn }) => checkIn.seq),
    [1, 2, 3],
  );
});

test('a desired document is written once, and never over a newer one of the same log', async (t) => {
  const { bus } = await start(t);
  t.is(await readDesired(bus, 'agent-1'), null);
  t.is(await putDesired(bus, someDocument(5)), 'written');
  t.is(await putDesired(bus, someDocument(5)), 'unchanged');
  t.is(await putDesired(bus, someDocument(4)), 'newer-present');
  t.deepEqual(await readDesired(bus, 'agent-1'), someDocument(5));
  t.is(await putDesired(bus, someDocument(6)), 'written');
  t.is(await putDesired(bus, { ...someDocument(1), logId: 'another-log' }), 'written');
  t.deepEqual(await readDesired(bus, 'agent-1'), { ...someDocument(1), logId: 'another-log' });
});

test('of many racing writers of a desired document the highest version stands', async (t) => {
  const { bus } = await start(t);
  const versions = [3, 1, 4, 2];
  await Promise.all(versions.map(async (version) => await putDesired(bus, someDocument(version))));
  t.is((await readDesired(bus, 'agent-1'))?.version, 4);
});

test('an agent hears of its documents, and of nobody else', async (t) => {
  const { bus, agent } = await start(t);
  const heard: number[] = [];
  const problems: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = watchDesired(agent, 'agent-1', {
    onDocument: ({ version }) => {
      heard.push(version);
      if (version === 2) resolve();
    },
    onProblem: ({ code }) => problems.push(code),
  });
  await agent.connection.flush();
  await putDesired(bus, { ...someDocument(9), agentId: 'agent-2' });
  await putDesired(bus, someDocument(1));
  await publishAcked(bus, desiredSubject('agent-1'), Buffer.from('{}'));
  await t.throwsAsync(readDesired(bus, 'agent-1'), { code: 'BUS_MALFORMED' });
  await publishAcked(bus, desiredSubject('agent-1'), Buffer.from(JSON.stringify(someDocument(2))));
  await promise;
  stop();
  t.deepEqual(heard, [1, 2]);
  t.deepEqual(problems, ['BUS_MALFORMED']);
});

test('a follower gets the latest check-in of every agent, then the live ones, through a restart', async (t) => {
  const { nats, bus, agent } = await start(t);
  for (const seq of [1, 2, 3]) publishCheckIn(agent, 'default', someCheckIn('a', seq));
  publishCheckIn(agent, 'default', someCheckIn('b', 1));
  await agent.connection.flush();
  const follower = startFollowing(bus);
  await follower.reached('b', 1);
  publishCheckIn(agent, 'west', someCheckIn('a', 4));
  await follower.reached('a', 4);
  const back = Promise.all([change(agent, true), change(bus, true)]);
  await nats.restart();
  await back;
  publishCheckIn(agent, 'default', someCheckIn('b', 2));
  await follower.reached('b', 2);
  await follower.stop();
  t.deepEqual(
    follower.seen.map(({ checkIn, zone }) => [zone, checkIn.agentId, checkIn.seq]),
    [
      ['default', 'a', 3],
      ['default', 'b', 1],
      ['west', 'a', 4],
      ['default', 'b', 2],
    ],
  );
  const ages = follower.seen.map(({ receivedAt }) => Math.abs(Date.parse(receivedAt) - Date.now()));
  t.true(ages.every((age) => age < 60_000));
});

test('a follower finds its way when the bus lost its last check-ins and counts on from before', async (t) => {
  const { nats, bus, agent } = await start(t);
  for (const seq of [1, 2, 3]) publishCheckIn(agent, 'default', someCheckIn('a', seq));
  const follower = startFollowing(bus);
  await follower.reached('a', 3);
  await jetStreamApi(agent, 'STREAM.DELETE.MUSTER_CHECKINS');
  await ensureCheckIns(agent, 1);
  const back = Promise.all([change(agent, true), change(bus, true)]);
  await nats.restart();
  await back;
  await storeCheckIns(agent, checkInMessage(someCheckIn('a', 4)));
  await follower.reached('a', 4);
  await follower.stop();
  t.is(follower.seen.at(-1)?.checkIn.seq, 4);
});

test('what is no check-in is reported and passed over', async (t) => {
  const { bus, agent } = await start(t);
  const follower = startFollowing(bus);
  const valid = someCheckIn('a', 1);
  await storeCheckIns(
    agent,
    [checkInSubject('default', 'a'), 'not JSON'],
    [checkInSubject('default', 'a'), JSON.stringify({ ...valid, seq: 0 })],
    [checkInSubject('default', 'thief'), JSON.stringify(valid)],
    ['muster.checkin.deeper.than.that', '{}'],
  );
  publishCheckIn(agent, 'default', valid);
  await follower.reached('a', 1);
  await follower.stop();
  t.deepEqual(
    follower.malformed.map(({ problem }) => problem.slice(0, 20)),
    ['not JSON', 'field "seq": Too sma', 'the body is of agent', 'the subject is not m'],
  );
  t.is(follower.seen.length, 1);
});

test('the stored check-ins since a time are read in order, and reading ends', async (t) => {
  const { bus, agent } = await start(t);
  const { signal } = new AbortController();
  const since = new Date(Date.now() - 60_000).toISOString();
  t.deepEqual(await collect(readCheckIns(bus, { since, signal })), []);
  for (let seq = 1; seq <= 500; seq += 1) publishCheckIn(agent, 'default', someCheckIn('a', seq));
  await storeCheckIns(agent, checkInMessage(someCheckIn('a', 501)));
  const read = await collect(readCheckIns(bus, { since, signal }));
  t.deepEqual(
    read.map(({ checkIn }) => checkIn.seq),
    Array.from({ length: 501 }, (_, index) => index + 1),
  );
  const later = new Date(Date.now() + 60_000).toISOString();
  t.deepEqual(await collect(readCheckIns(bus, { since: later, signal })), []);
});

test('a follower of a connection that is closed for good ends with an error', async (t) => {
  const { nats } = await start(t);
  const bus = await nats.connect('app');
  const ended = followCheckIns(bus, {
    onCheckIn: () => undefined,
    onMalformed: () => undefined,
    signal: new AbortController().signal,
  });
  await bus.connection.flush();
  await bus.close();
  await t.throwsAsync(ended, { code: 'BUS_DISCONNECTED' });
});

test("a message's place is read from both forms of the reply subject", (t) => {
  const place = { sequence: 12, consumerSequence: 3, storedAt: '2026-11-01T12:00:00.000Z' };
  t.deepEqual(parsePlace('$JS.ACK.S.c.1.12.3.1793534400000000000.0'), place);
  t.deepEqual(parsePlace('$JS.ACK.hub.ACC.S.c.1.12.3.1793534400000000000.0.rand'), place);
  t.throws(() => parsePlace('something.else'), { code: 'BUS_MALFORMED' });
});

async function startServer(t: ExecutionContext): Promise<TestNats> {
  const nats = await startNats();
  t.teardown(async () => await nats.stop());
  return nats;
}

async function start(t: ExecutionContext): Promise<{ nats: TestNats; bus: Bus; agent: Bus }> {
  const nats = await startServer(t);
  const bus = await nats.connect('app');
  await ensureCheckIns(bus, 1);
  await ensureDesired(bus, 1);
  return { nats, bus, agent: await nats.connect('app') };
}

async function change(bus: Bus, wanted: boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = bus.onChange((connected) => {
    if (connected === wanted) resolve();
  });
  await promise;
  stop();
}

function startFollowing(bus: Bus) {
  const seen: ReceivedCheckIn[] = [];
  const malformed: MalformedCheckIn[] = [];
  const abort = new AbortController();
  const waiting = new Map<string, () => void>();
  const ended = followCheckIns(bus, {
    onCheckIn: (received) => {
      seen.push(received);
      waiting.get(`${received.checkIn.agentId}:${received.checkIn.seq}`)?.();
    },
    onMalformed: (problem) => malformed.push(problem),
    signal: abort.signal,
  });
  return {
    seen,
    malformed,
    async reached(agentId: string, seq: number): Promise<void> {
      if (seen.some(({ checkIn }) => checkIn.agentId === agentId && checkIn.seq === seq)) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(`${agentId}:${seq}`, resolve);
      await Promise.race([promise, ended]);
    },
    async stop(): Promise<void> {
      abort.abort();
      await ended;
    },
  };
}

function someDocument(version: number): DesiredDocument {
  return {
    schemaVersion: 1,
    agentId: 'agent-1',
    logId: 'log-1',
    version,
    pruneMode: 'off',
    pruneMark: null,
    sessions: [],
  };
}

function someCheckIn(agentId: string, seq: number): CheckIn {
  return {
    schemaVersion: 1,
    agentId,
    bootId: 'boot-1',
    seq,
    logId: null,
    appliedVersion: 0,
    observedAt: '2026-11-01T12:00:00.000Z',
    agentVersion: '0.1.0',
    hostname: agentId,
    simulated: false,
    hardware: { millicores: 4000, memoryBytes: 8 * 1024 ** 3, swapBytes: 0, gpus: [] },
    usage: { cpuMillicores: 100, memoryBytes: 1024 ** 3, disk: null, gpus: [], sessions: [] },
    engine: { status: 'up', version: '20.10' },
    sessions: [],
    orphans: [],
    unmanagedContainers: 0,
  };
}
