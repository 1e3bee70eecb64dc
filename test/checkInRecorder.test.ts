import { EventStoreDBClient } from '@eventstore/db-client';
import test from 'ava';
import pino from 'pino';
import { CheckInRecorder } from '../gateway/checkInRecorder/recorder.ts';
import { jetStreamApi } from '../infra/bus/api.ts';
import { isReadUpTo } from '../infra/bus/checkInMark.ts';
import type { Clock } from '../infra/clock.ts';
import { CHECKINS_RECORDED, checkInsStreamOf } from '../infra/eventStore/recordedCheckIns.ts';
import { CHECKINS_STREAM, checkInSubject } from '../infra/names.ts';
import { aCheckIn, observed } from './support/builders.ts';
import {
  assertRecorded,
  eventsOf,
  hasty,
  inBackground,
  largeSession,
  named,
  oneTo,
  recordedOf,
  say,
  start,
} from './support/checkInRecording.ts';
import { storeCheckIns } from './support/storedCheckIns.ts';
import { until } from './support/until.ts';

const WEEK_SECONDS = 7 * 86_400;

test('what an agent said since is one append to its stream, whose events leave after 7 days', async (t) => {
  const { bus, server, store, recording } = await start(t);
  const agents = named(5);
  await say(bus, agents, 1, 40);
  const first = recording();
  await first.pass();
  t.is(await server.appends(), 5 * 2 + 2, 'an append and the limits for each agent and for the mark');
  await assertRecorded(t, store, agents, 40);
  t.is(first.counts.recorded, 200);
  for (const agentId of agents) {
    t.deepEqual(await store.limitsOf(checkInsStreamOf(agentId)), { maxAgeSeconds: WEEK_SECONDS });
  }
  t.deepEqual(await store.limitsOf(CHECKINS_RECORDED), { maxCount: 1 });
  const [event] = await eventsOf(store, 'agent-2');
  const { created } = await jetStreamApi(bus, `STREAM.INFO.${CHECKINS_STREAM}`);
  t.is(event?.type, 'AgentCheckedIn');
  t.deepEqual(event?.data, { ...aCheckIn({ agentId: 'agent-2' }) });
  const { receivedAt, ...place } = Object(event?.metadata);
  t.deepEqual(place, { stream: created, sequence: 2 });
  t.true(Math.abs(Date.parse(receivedAt) - Date.now()) < 60_000);

  await say(bus, agents, 41, 46);
  await first.pass();
  t.is(await server.appends(), 5 * 3 + 3);
  await first.pass();
  t.is(await server.appends(), 5 * 3 + 3, 'nothing new, nothing written');
  await assertRecorded(t, store, agents, 46);
});

test('an append has at most 256 check-ins and a quarter of a MiB', async (t) => {
  const { bus, server, store, recording } = await start(t);
  const hostname = 'h'.repeat(200);
  await say(bus, ['many'], 1, 600);
  await say(bus, ['large'], 1, 10, { sessions: Array.from({ length: 400 }, () => observed('running')), hostname });
  await recording().pass();
  const size = JSON.stringify((await eventsOf(store, 'large'))[0]?.data).length;
  t.log(`${size} bytes each`);
  const inOne = Math.floor((256 * 1024) / size);
  t.true(inOne > 1 && inOne < 10);
  t.is(await server.appends(), 4 + 3 + Math.ceil(10 / inOne));
  await assertRecorded(t, store, ['many'], 600);
  await assertRecorded(t, store, ['large'], 10);
});

test('whoever records next goes on where the last one got to, also when nothing tells but the streams of the agents', async (t) => {
  const { bus, server, store, recording } = await start(t);
  const agents = named(3);
  await say(bus, agents, 1, 5);
  await recording().pass();
  await say(bus, agents, 6, 9);
  const second = recording();
  await second.pass();
  t.is(second.counts.recorded, 12);
  await assertRecorded(t, store, agents, 9);
  const end = (await store.limitsOf(CHECKINS_RECORDED)).maxCount;
  t.is(end, 1);
  await store.setLimits(CHECKINS_RECORDED, { truncateBefore: 1_000 });
  await say(bus, agents, 10, 10);
  const before = await server.appends();
  const third = recording();
  await third.pass();
  t.is(third.counts.recorded, 3);
  t.true((await server.appends()) - before <= 4);
  await assertRecorded(t, store, agents, 10);
});

test('a gateway that follows records nothing, and begins as soon as it leads', async (t) => {
  const { bus, server, store, recording } = await start(t);
  await say(bus, ['a'], 1, 3);
  const made = recording();
  made.leading = false;
  const looked = Promise.withResolvers<void>();
  let looks = 0;
  const clock: Clock = {
    ...hasty,
    async sleep(ms, until) {
      looks += 1;
      if (looks > 3) looked.resolve();
      await hasty.sleep(ms, until);
    },
  };
  const following = new CheckInRecorder({
    bus,
    store,
    clock,
    log: pino({ level: 'silent' }),
    isKnown: () => true,
    isLeading: () => made.leading,
    count: () => {},
  });
  const ending = inBackground(t, (signal) => following.run(signal));
  await looked.promise;
  t.is(await server.appends(), 0);
  t.is(following.lagSeconds, 0);
  made.leading = true;
  await until(
    'recorded',
    async () => await recordedOf(store, 'a'),
    (numbers) => numbers.length === 3,
  );
  await ending();
});

test('what had left the bus before it was recorded is counted and told', async (t) => {
  const { bus, store, recording } = await start(t);
  await say(bus, ['a'], 1, 10);
  const made = recording();
  await made.pass();
  await say(bus, ['a'], 11, 40);
  await jetStreamApi(bus, `STREAM.PURGE.${CHECKINS_STREAM}`, { seq: 31 });
  await made.pass();
  t.deepEqual(made.counts, { recorded: 20, missed: 20, left_out: 0 });
  t.deepEqual(made.lines, [
    { level: 'warn', msg: '20 check-ins had left the bus before they were recorded in the event store' },
  ]);
  t.deepEqual(await recordedOf(store, 'a'), [...oneTo(10), ...oneTo(40).slice(30)]);
});

test('what is no check-in, or of an agent that nobody enrolled, is not recorded and holds nothing up', async (t) => {
  const { bus, store, recording } = await start(t);
  await storeCheckIns(
    bus,
    [checkInSubject('default', 'a'), 'nonsense'],
    [checkInSubject('default', 'a'), JSON.stringify(aCheckIn({ agentId: 'b' }))],
    ['muster.checkin.too.many.tokens', '{}'],
  );
  await say(bus, ['a', 'stranger'], 1, 2);
  await storeCheckIns(bus, [checkInSubject('default', 'a'), 'nonsense']);
  const made = recording({ isKnown: (agentId) => agentId !== 'stranger' });
  await made.pass();
  await made.pass();
  t.deepEqual(await recordedOf(store, 'a'), [1, 2]);
  t.deepEqual(await eventsOf(store, 'stranger'), []);
  t.deepEqual(made.counts, { recorded: 2, missed: 0, left_out: 0 });
});

test('an agent whose stream was deleted for good, or whose check-in is too large, holds up nobody else', async (t) => {
  const { bus, server, store, recording } = await start(t);
  const client = EventStoreDBClient.connectionString(server.url);
  t.teardown(async () => await client.dispose());
  await say(bus, ['a', 'b', 'c'], 1, 2);
  const made = recording();
  await made.pass();
  await client.tombstoneStream(checkInsStreamOf('b'));
  await say(bus, ['c'], 3, 3, { sessions: Array.from({ length: 4096 }, (_, index) => largeSession(index)) });
  await say(bus, ['a', 'b', 'c'], 4, 5);
  await made.pass();
  await made.pass();
  t.deepEqual(await recordedOf(store, 'a'), [1, 2, 4, 5]);
  t.deepEqual(await recordedOf(store, 'c'), [1, 2, 4, 5]);
  t.deepEqual(made.counts, { recorded: 10, missed: 0, left_out: 3 });
  t.deepEqual(made.lines.map(({ msg }) => msg).toSorted(), [
    'check-ins of b are left out of the event store',
    'check-ins of c are left out of the event store',
  ]);
});

test('limits that an operator has set stay, and a stream whose events have all left goes on', async (t) => {
  const { bus, store, recording } = await start(t);
  await say(bus, ['a', 'b'], 1, 4);
  await store.setLimits(checkInsStreamOf('a'), { maxAgeSeconds: 30 * 86_400 });
  const made = recording();
  await made.pass();
  t.deepEqual(await store.limitsOf(checkInsStreamOf('a')), { maxAgeSeconds: 30 * 86_400 });
  await store.setLimits(checkInsStreamOf('b'), { truncateBefore: 100 });
  t.deepEqual(await recordedOf(store, 'b'), []);
  await store.setLimits(checkInsStreamOf('b'), { truncateBefore: 4 });
  await say(bus, ['a', 'b'], 5, 6);
  await recording().pass();
  t.deepEqual(await recordedOf(store, 'a'), oneTo(6));
  t.deepEqual(await recordedOf(store, 'b'), [5, 6]);
});

test('a sequence tells within a stream, and the time where it was given twice or the stream is another', (t) => {
  const last = { stream: '1', sequence: 10, receivedAt: '2026-01-01T00:00:10.000Z' };
  const rows = [
    { mark: { ...last }, isRead: true },
    { mark: { ...last, sequence: 9, receivedAt: '2026-01-01T00:00:09.000Z' }, isRead: true },
    { mark: { ...last, sequence: 11 }, isRead: false },
    { mark: { ...last, sequence: 11, receivedAt: '2026-01-01T00:00:01.000Z' }, isRead: false },
    { mark: { ...last, sequence: 9, receivedAt: '2026-01-01T00:00:11.000Z' }, isRead: false },
    { mark: { stream: '2', sequence: 1, receivedAt: '2026-01-01T00:00:11.000Z' }, isRead: false },
    { mark: { stream: '0', sequence: 99, receivedAt: '2026-01-01T00:00:09.000Z' }, isRead: true },
  ];
  for (const { mark, isRead } of rows) t.is(isReadUpTo(mark, last), isRead, JSON.stringify(mark));
});
