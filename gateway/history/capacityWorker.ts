import { parentPort, workerData } from 'node:worker_threads';
import { connectBus } from '../../infra/bus/connect.ts';
import { realClock } from '../../infra/clock.ts';
import { openEventLog } from '../../infra/log/open.ts';
import { createObjectStoreSnapshots } from '../../infra/snapshots/objectStore.ts';
import type { CapacityTask } from './capacityThread.ts';
import { writeCapacity } from './capacityWriter.ts';

/** A thread of its own that writes the steps of a zone's agents and ends: the gateway's loop goes on beside it. */
const { zone, busUrl, busTls, password, appPassword, replicas, place } = workerData as CapacityTask;
const name = `capacity of ${zone}`;
const to = { url: busUrl, tls: busTls, name };
const [logBus, bus] = await Promise.all([
  connectBus({ ...to, user: 'muster-log', password }),
  connectBus({ ...to, user: 'muster-app', password: appPassword }),
]);
const opened = openEventLog({ place, bus: logBus, replicas, name });
const troubles: string[] = [];
const version = await writeCapacity({
  zone,
  bus,
  eventLog: opened.eventLog,
  snapshots: createObjectStoreSnapshots({ bus: logBus, replicas }),
  clock: realClock,
  onTrouble: (sentence, cause) => troubles.push(`${sentence}: ${String(cause)}`),
});
await opened.close();
await Promise.all([logBus.close(), bus.close()]);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage({ version, troubles });
