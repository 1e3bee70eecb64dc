import test, { type ExecutionContext } from 'ava';
import { settle } from '../gateway/controller/settle.ts';
import { publishAcked } from '../infra/bus/api.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { realClock } from '../infra/clock.ts';
import { createJetStreamLog } from '../infra/log/jetstream/jetStreamLog.ts';
import { zoneLog, type EventLog } from '../infra/log/port.ts';
import { logStream, logSubject } from '../infra/names.ts';
import { createObjectStoreSnapshots } from '../infra/snapshots/objectStore.ts';
import { eventLogContract } from './contracts/eventLog.ts';
import type { LogHarness } from './contracts/logHarness.ts';
import { snapshotContract } from './contracts/snapshots.ts';
import { someCommit } from './support/commits.ts';
import { appendMany, collect } from './support/logs.ts';
import { makeFirstEpoch, moveOffline } from './support/logStreams.ts';
import { damageSnapshot } from './support/snapshots.ts';
import { startNatsCluster, untilCurrent, untilWritable, type TestCluster } from './support/natsCluster.ts';

/** One cluster for all tests, one after the other: three servers are slow to start, and a kill disturbs everybody. */
const REPLICAS = 3;
const ZONE = zoneLog('default');
const STREAM = logStream(ZONE, 1);

let started: TestCluster | null = null;

test.before(async () => {
  started = await startNatsCluster();
});

test.after.always(async () => {
  await started?.stop();
});

eventLogContract(test.serial, async (t): Promise<LogHarness> => {
  const { cluster, user, bus, log } = await open(t);
  return {
    log,
    another: async () => openLog(t, await cluster.connect(user)),
    appendRaw: async (name, bytes) => {
      await makeFirstEpoch({ bus, log: name, replicas: REPLICAS });
      // A stream of three copies is there before one of them leads it.
      await untilWritable(bus, logSubject(name));
      await publishAcked(bus, logSubject(name), bytes);
    },
    moveOffline: (name) => moveOffline({ bus, log: name, replicas: REPLICAS }),
    disturb: async () => {
      const leader = await cluster.leaderOf(bus, STREAM);
      await cluster.kill9(leader);
      await untilWritable(bus, logSubject(ZONE));
      await cluster.restart(leader);
      await untilCurrent(bus, STREAM);
    },
  };
});

snapshotContract(
  (title, implementation) => test.serial(`snapshots: ${title}`, implementation),
  async (t) => {
    const { cluster, user, bus } = await open(t);
    const onThree = (on: Bus) => createObjectStoreSnapshots({ bus: on, replicas: REPLICAS });
    return {
      store: onThree(bus),
      another: async () => onThree(await cluster.connect(user)),
      damage: (info) => damageSnapshot(bus, info),
    };
  },
);

const COMMITS = 200;
const KILL_AFTER = 80;

test.serial('when its leader is killed, a log keeps every acknowledged commit once and in order', async (t) => {
  const { cluster, bus, log } = await open(t);
  const written = await appendMany(log, ZONE, 1);
  const leader = await cluster.leaderOf(bus, STREAM);
  t.teardown(() => cluster.restart(leader));
  const onLeader = bus.connection.getServer() === new URL(leader.url).host;
  const signal = AbortSignal.timeout(60_000);
  const trouble: string[] = [];
  let killedAt = 0;
  let killed: Promise<void> = Promise.resolve();
  let recoveredAfter: number | null = null;
  while (written.length < COMMITS) {
    const commit = someCommit(written.at(-1) ?? null, `commit-${written.length}`);
    const settled = settle({
      eventLog: log,
      log: ZONE,
      commit,
      clock: realClock,
      signal,
      mayWrite: async () => {},
      onTrouble: (sentence, cause) => trouble.push(`${sentence}: ${String(cause)}`),
    });
    if (written.length === KILL_AFTER) {
      killedAt = performance.now();
      killed = cluster.kill9(leader);
    }
    written.push(await settled);
    if (written.length > KILL_AFTER + 1) recoveredAfter ??= performance.now() - killedAt;
  }
  await killed;
  t.log(`the writer was connected to ${onLeader ? 'the leader' : 'another server'}`);
  t.log(`the first commit after the kill was acknowledged ${Math.round(recoveredAfter ?? 0)} ms later`, ...trouble);
  t.deepEqual(await collect(log.read(ZONE, 0)), written);
});

interface Opened {
  readonly cluster: TestCluster;
  readonly user: string;
  readonly bus: Bus;
  readonly log: EventLog;
}

/** A log in an account of its own. */
async function open(t: ExecutionContext): Promise<Opened> {
  if (started === null) throw new Error('the cluster did not start');
  const user = started.newUser();
  const bus = await started.connect(user);
  return { cluster: started, user, bus, log: openLog(t, bus) };
}

function openLog(t: ExecutionContext, bus: Bus): EventLog {
  const log = createJetStreamLog({ bus, replicas: REPLICAS });
  t.teardown(() => log.close());
  return log;
}
