import { parentPort, workerData } from 'node:worker_threads';
import { connectBus } from '../../infra/bus/connect.ts';
import { realClock } from '../../infra/clock.ts';
import { openEventLog } from '../../infra/log/open.ts';
import { createObjectStoreSnapshots } from '../../infra/snapshots/objectStore.ts';
import { fleetRules, zoneOf, zoneRules } from '../core/foldRules.ts';
import { writeSnapshot } from './snapshot.ts';
import type { SnapshotTask } from './thread.ts';

/** A thread of its own that writes one snapshot and ends: the gateway's loop goes on beside it. */
const { log, busUrl, busTls, password, replicas, place } = workerData as SnapshotTask;
const name = `snapshot of ${log}`;
const bus = await connectBus({ url: busUrl, user: 'muster-log', password, tls: busTls, name });
const opened = openEventLog({ place, bus, replicas, name });
const zone = zoneOf(log);
const troubles: string[] = [];
const ports = {
  log,
  eventLog: opened.eventLog,
  store: createObjectStoreSnapshots({ bus, replicas }),
  clock: realClock,
  onTrouble: (sentence: string, cause: unknown) => troubles.push(`${sentence}: ${String(cause)}`),
};
const version = await (zone === null
  ? writeSnapshot({ ...ports, rules: fleetRules })
  : writeSnapshot({ ...ports, rules: zoneRules(zone) }));
await opened.close();
await bus.close();
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage({ version, troubles });
