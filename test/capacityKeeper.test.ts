import test from 'ava';
import { keepCapacity } from '../gateway/history/capacityKeeper.ts';
import { writeCapacityMark } from '../gateway/history/capacityStore.ts';
import { capacityInThread } from '../gateway/history/capacityThread.ts';
import { ensureRollups } from '../infra/bus/streams.ts';
import { readConfig } from '../infra/config/config.ts';
import { zoneLog } from '../infra/log/port.ts';
import { agentLives } from './support/agentLives.ts';
import { manualClock } from './support/manualClock.ts';
import { APP_PASSWORD, LOG_PASSWORD, startNats } from './support/nats.ts';
import { STORES } from './support/stores.ts';
import { until } from './support/until.ts';

/** When capacity and allocated are kept, and the thread that does it. */

const MINUTE = 60_000;
const LOG = zoneLog('default');

test('whoever leads keeps what moved when nothing is kept, then once an hour when there is more; whoever follows does not', async (t) => {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const bus = await nats.connect('app');
  await ensureRollups(bus, 1);
  const time = manualClock(Date.UTC(2026, 0, 1));
  let sleeps = false;
  const clock = {
    ...time,
    async sleep(ms: number, signal?: AbortSignal) {
      sleeps = true;
      await time.sleep(ms, signal);
      sleeps = false;
    },
  };
  const stop = new AbortController();
  const log = { version: 5, leading: false, fails: false, writes: 0 };
  const troubles: string[] = [];
  const keeping = keepCapacity(
    {
      bus,
      clock,
      zone: 'default',
      leadsAt: () => (log.leading ? log.version : null),
      async write() {
        log.writes += 1;
        if (log.fails) throw new Error('the log is away');
        const { version } = log;
        await writeCapacityMark(bus, LOG, { build: 1, logId: 'log', version, hash: 'h', writtenAt: clock.now() });
        return { version, troubles: [] };
      },
      onNews: () => {},
      onTrouble: (sentence) => troubles.push(sentence),
    },
    stop.signal,
  );
  /** How often it has written when so many minutes have passed; what it asks of the bus takes real time. */
  const pass = async (minutes: number): Promise<number> => {
    for (let minute = 0; minute < minutes; minute += 1) {
      await time.advance(MINUTE);
      await until('it sleeps', async () => sleeps, Boolean);
    }
    return log.writes;
  };
  t.is(await pass(3), 0, 'it follows');
  log.leading = true;
  log.fails = true;
  t.is(await pass(2), 2, 'it tries again');
  t.is(troubles.length, 1, 'trouble is told once');
  log.fails = false;
  t.is(await pass(1), 3);
  t.is(await pass(70), 3, 'there is nothing new');
  log.version = 6;
  t.is(await pass(1), 4);
  log.version = 7;
  t.is(await pass(59), 4, 'the hour is not over');
  t.is(await pass(1), 5);
  stop.abort();
  await keeping;
});

for (const { name, start } of STORES) {
  test(`a thread of its own keeps the capacity of agents whose log is in ${name}`, async (t) => {
    const nats = await startNats();
    t.teardown(() => nats.stop());
    const logBus = await nats.connect('log');
    const appBus = await nats.connect('app');
    await ensureRollups(appBus, 1);
    const store = await start(t);
    const now = Date.now();
    await agentLives(store.openLog(logBus), ['a', 'b'], 1).live(40, now - 100 * MINUTE, now);
    const task = {
      zone: 'default',
      busUrl: nats.url,
      password: LOG_PASSWORD,
      appPassword: APP_PASSWORD,
      replicas: 1,
      place: readConfig(store.env).eventLog,
    };
    const { signal } = new AbortController();
    t.deepEqual(await capacityInThread(task, signal), { version: 40, troubles: [] });
    t.deepEqual(await capacityInThread(task, signal), { version: 40, troubles: [] });
    await t.throwsAsync(capacityInThread({ ...task, appPassword: 'wrong' }, signal), { message: /capacity/ });
  });
}
