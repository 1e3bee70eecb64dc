import type { CoreOptions } from '../../gateway/core/core.ts';
import { createMemoryFeed } from '../../infra/bus/memoryFeed.ts';
import { createMemoryRelay } from '../../infra/bus/memoryRelay.ts';
import type { Clock } from '../../infra/clock.ts';
import { createMemoryLeases } from '../../infra/leases/memory.ts';
import { createMemoryLog } from '../../infra/log/memory.ts';
import { createMemorySnapshots } from '../../infra/snapshots/memory.ts';

/** Everything that a gateway's core needs, in memory: alone on a bus of its own. */
export function memoryCorePorts(clock: Clock, onTrouble: CoreOptions['onTrouble']): CoreOptions {
  const gatewayId = 'gateway-1';
  return {
    gatewayId,
    eventLog: createMemoryLog(),
    leases: createMemoryLeases(clock),
    relay: createMemoryRelay(gatewayId),
    feedOf: (log: string) => createMemoryFeed(log),
    snapshots: createMemorySnapshots(),
    takeSnapshot: async () => {},
    clock,
    newLogId: () => 'log-of-the-test',
    reachesLogs: () => true,
    remedy: 'See that the log runs',
    putDesired: async () => {},
    patience: { checkInSeconds: 10, startTimeoutSeconds: 1800, lostAfterSeconds: null },
    allowedRegistries: ['docker.io'],
    approvesItself: () => false,
    onTrouble,
  };
}
