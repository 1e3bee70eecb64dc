import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { DesiredDocument } from '../domain/desired.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { putDesired, type Standing } from '../infra/bus/desired.ts';
import { ServerCode, hasServerCode } from '../infra/bus/errors.ts';
import { createBusFeed } from '../infra/bus/feed.ts';
import { createBusRelay } from '../infra/bus/relay.ts';
import { ensureDesired } from '../infra/bus/streams.ts';
import { realClock } from '../infra/clock.ts';
import type { Config } from '../infra/config/config.ts';
import { createBusLeases } from '../infra/leases/bus.ts';
import type { SnapshotStore } from '../infra/snapshots/port.ts';
import { Core, type CoreOptions } from './core/core.ts';
import { snapshotInThread, threadTask } from './snapshots/thread.ts';
import type { Ways } from './ways.ts';

export interface CoreWorld {
  readonly config: Config;
  readonly ways: Ways;
  readonly snapshots: SnapshotStore;
  readonly log: Logger;
  /** Ends what is under way. */
  readonly ending: AbortSignal;
  readonly onCommit: NonNullable<CoreOptions['onCommit']>;
  readonly onTrouble: CoreOptions['onTrouble'];
}

/** The core on the real bus, store and clock. It has folded nothing yet. */
export function openCore({ config, ways, snapshots, log, ending, onCommit, onTrouble }: CoreWorld): Core {
  const { replicas } = config;
  const { logBus, appBus } = ways;
  const gatewayId = `gateway-${randomUUID().slice(0, 8)}`;
  return new Core({
    gatewayId,
    eventLog: ways.log.eventLog,
    leases: createBusLeases(logBus, realClock),
    relay: createBusRelay(logBus, gatewayId),
    feedOf: (name) => createBusFeed(appBus, name, replicas),
    snapshots,
    takeSnapshot: async (name) => {
      const { version, troubles } = await snapshotInThread({ ...threadTask(config), log: name }, ending);
      log.debug({ log: name, version, troubles }, 'a snapshot was written');
    },
    clock: realClock,
    newLogId: randomUUID,
    reachesLogs: () => ways.log.away() === null,
    remedy: ways.log.remedy,
    putDesired: desiredWriter(appBus, replicas),
    patience: {
      checkInSeconds: config.checkInSeconds,
      startTimeoutSeconds: config.startTimeoutMinutes * 60,
      lostAfterSeconds: config.lostAfterMinutes === null ? null : config.lostAfterMinutes * 60,
    },
    allowedRegistries: config.allowedRegistries,
    approvesItself: (agentId) => config.embeddedAgents.includes(agentId),
    onTrouble,
    onCommit,
  });
}

/** Writes agents' documents; when their bucket is gone, as after a loss of the bus's disk, the next try finds a new one. */
function desiredWriter(bus: Bus, replicas: number): CoreOptions['putDesired'] {
  const standing = new Map<string, Standing>();
  return async (document: DesiredDocument, look: boolean) => {
    if (look) standing.delete(document.agentId);
    try {
      await putDesired(bus, document, standing);
    } catch (error) {
      if (hasServerCode(error, ServerCode.streamNotFound)) {
        standing.clear();
        await ensureDesired(bus, replicas);
      }
      throw error;
    }
  };
}
