import { zoneRules } from '../gateway/core/foldRules.ts';
import { writeSnapshot } from '../gateway/snapshots/snapshot.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { realClock } from '../infra/clock.ts';
import { createJetStreamLog } from '../infra/log/jetstream/jetStreamLog.ts';
import { FLEET_LOG } from '../infra/log/port.ts';
import { createObjectStoreSnapshots } from '../infra/snapshots/objectStore.ts';
import { startNats, type TestNats } from '../test/support/nats.ts';
import { decodeCommit } from '../infra/log/codec.ts';
import { startGatewayProcess } from './gatewayProcess.ts';
import { openLiveZone } from './liveZone.ts';
import { putCommits, startLoadedNats } from './loadedBus.ts';
import { timed } from './raw.ts';
import { LONG_REFERENCE, REFERENCE_LOG, fleetLogFor, referenceLog } from './referenceLog.ts';
import { median, row, type Report } from './report.ts';

/** Twice what a gateway lets come together before it takes the next snapshot. */
const EVENTS_BEHIND = 20_000;

/**
 * From the start of a gateway's process until it is ready, on a long log with a snapshot some way behind its head, against
 * a gateway that starts on an empty log. Runs alternate.
 */
export async function benchReady({ runs }: { readonly runs: number }): Promise<Report> {
  const nats = await startNatsWithSnapshot();
  const empty = await startNats();
  await startOnce(empty, null);
  const head = (await referenceLog(LONG_REFERENCE)).length;
  const [muster, limit, leading]: [number[], number[], number[]] = [[], [], []];
  for (let run = 0; run < runs; run += 1) {
    muster.push(await startOnce(nats, head));
    limit.push(await startOnce(empty, null));
    leading.push(await leadOnce(nats));
  }
  await empty.stop();
  await nats.stop();
  const behind = `${EVENTS_BEHIND.toLocaleString('en')} events behind a snapshot`;
  const of = `of ${LONG_REFERENCE.events.toLocaleString('en')}`;
  return {
    rows: [
      row(`process start to /readyz, ${behind} ${of}`, 's', median(muster) / 1000, median(limit) / 1000),
      row(`the same zone, bus reachable to leading`, 's', median(leading) / 1000, null),
    ],
    notes: [],
  };
}

/** Milliseconds until a gateway was ready, which leads the zone at `version` then. */
async function startOnce(nats: TestNats, version: number | null): Promise<number> {
  const gateway = await startGatewayProcess(nats);
  const { logs } = await gateway.rest.read<{ readonly logs: readonly LogShown[] }>('/logs');
  await gateway.stop();
  const zone = logs.find(({ log }) => log === REFERENCE_LOG);
  if (zone?.role !== 'leading') throw new Error(`the gateway is ready, but ${String(zone?.role)} the zone`);
  if (version !== null && zone.position !== `${REFERENCE_LOG}:${version}`) {
    throw new Error(`the gateway is ready at ${zone.position}, not at version ${version}`);
  }
  return gateway.readyMs;
}

interface LogShown {
  readonly log: string;
  readonly role: string;
  readonly position: string;
}

/** Milliseconds from a connection to the bus until a zone leads, in this process: without HTTP and start of a process. */
async function leadOnce(nats: TestNats): Promise<number> {
  const bus = await nats.connect('log');
  const eventLog = createJetStreamLog({ bus });
  const snapshots = createObjectStoreSnapshots({ bus, replicas: 1 });
  let stop = async () => {};
  const ms = await timed(async () => {
    ({ stop } = await openLiveZone(eventLog, { name: 'b', snapshots }));
  });
  await stop();
  await eventLog.close();
  await bus.close();
  return ms;
}

/** The snapshot is taken where it should be, then the rest of the log follows. */
async function startNatsWithSnapshot(): Promise<TestNats> {
  const [commits, fleet] = [await referenceLog(LONG_REFERENCE), await fleetLogFor(LONG_REFERENCE.agents)];
  const from = commits.length - commitsHolding(EVENTS_BEHIND, commits);
  return await startLoadedNats(async (bus) => {
    await putCommits(bus, FLEET_LOG, fleet);
    await putCommits(bus, REFERENCE_LOG, commits.slice(0, from));
    await snapshot(bus);
    await putCommits(bus, REFERENCE_LOG, commits.slice(from), from);
  });
}

/** How many of the last commits hold so many events. */
function commitsHolding(events: number, commits: readonly Uint8Array[]): number {
  let held = 0;
  const first = commits.findLastIndex((bytes) => (held += decodeCommit(bytes).commit.events.length) >= events);
  return commits.length - first;
}

async function snapshot(bus: Bus): Promise<void> {
  const eventLog = createJetStreamLog({ bus });
  await writeSnapshot({
    log: REFERENCE_LOG,
    eventLog,
    store: createObjectStoreSnapshots({ bus, replicas: 1 }),
    rules: zoneRules('default'),
    clock: realClock,
    onTrouble: (sentence, cause) => {
      throw new Error(sentence, { cause });
    },
  });
  await eventLog.close();
}
