import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { connectBus, type Bus } from '../infra/bus/connect.ts';
import type { DesiredDocument } from '../domain/desired.ts';
import { putDesired, type Standing } from '../infra/bus/desired.ts';
import { ServerCode, hasServerCode } from '../infra/bus/errors.ts';
import { createBusFeed } from '../infra/bus/feed.ts';
import { createBusRelay } from '../infra/bus/relay.ts';
import { ensureCheckIns, ensureDesired, ensureLeases, ensureRollups } from '../infra/bus/streams.ts';
import { realClock } from '../infra/clock.ts';
import { httpAuthority, type Config } from '../infra/config.ts';
import { createBusLeases } from '../infra/leases/bus.ts';
import { createJetStreamLog } from '../infra/log/jetstream.ts';
import { createObjectStoreSnapshots } from '../infra/snapshots/objectStore.ts';
import { openAccess } from './auth/access.ts';
import { hearCheckIns, keepHistory } from './checkIns.ts';
import { Core } from './core/core.ts';
import { demonstrate } from './demonstration.ts';
import { HistoryReader } from './history/reader.ts';
import { buildApp } from './http/app.ts';
import { LogReader } from './http/logReader.ts';
import { createMetrics, type Metrics } from './http/metrics.ts';
import type { Edge } from './http/edge.ts';
import { newSignInLink } from './http/routes/signInLinks.ts';
import { LiveHub } from './live/hub.ts';
import { snapshotInThread } from './snapshots/thread.ts';
import packageFile from '../package.json' with { type: 'json' };

/** A gateway that serves. */
export interface Gateway {
  readonly url: string;
  /** One-time, 15 minutes. */
  readonly signInUrl: string;
  /** Settles when it is stopped; rejects when it met a state that it must not go on from. */
  readonly done: Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface GatewayOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics?: Metrics;
  /** Aborting it ends a start that is under way. */
  readonly signal: AbortSignal;
}

const TICK_MS = 1000;
const DASHBOARD = join(import.meta.dirname, '../ui/dist');

/**
 * Opens a gateway on the bus of the configuration: connects, folds the logs, serves HTTP. The order is that of trust:
 * nothing is heard or answered before the logs have been folded.
 */
export async function openGateway({
  config,
  log,
  metrics = createMetrics(),
  signal,
}: GatewayOptions): Promise<Gateway> {
  const { replicas } = config;
  const [logBus, appBus] = await connectBoth(config, signal);
  await Promise.all([
    ensureCheckIns(appBus, replicas),
    ensureDesired(appBus, replicas),
    ensureRollups(appBus, replicas),
    ensureLeases(logBus, replicas),
  ]);
  const eventLog = createJetStreamLog({ bus: logBus, replicas });
  const stopping = new AbortController();
  let caughtUp = false;
  const standing = new Map<string, Standing>();
  const gatewayId = `gateway-${randomUUID().slice(0, 8)}`;
  const snapshots = createObjectStoreSnapshots({ bus: logBus, replicas });
  const core = new Core({
    gatewayId,
    eventLog,
    leases: createBusLeases(logBus, realClock),
    relay: createBusRelay(logBus, gatewayId),
    feedOf: (name) => createBusFeed(appBus, name, replicas),
    snapshots,
    takeSnapshot: async (name) => {
      const task = {
        log: name,
        busUrl: config.natsUrl ?? '',
        password: config.natsLogPassword ?? '',
        replicas,
      };
      const { version, troubles } = await snapshotInThread(task, stopping.signal);
      log.debug({ log: name, version, troubles }, 'a snapshot was written');
    },
    clock: realClock,
    newLogId: randomUUID,
    putDesired: (document, look) => writeDesired({ bus: appBus, replicas, standing }, document, look),
    patience: {
      checkInSeconds: config.checkInSeconds,
      startTimeoutSeconds: config.startTimeoutMinutes * 60,
      lostAfterSeconds: config.lostAfterMinutes === null ? null : config.lostAfterMinutes * 60,
    },
    allowedRegistries: config.allowedRegistries,
    approvesItself: (agentId) => config.embeddedAgents.includes(agentId),
    onTrouble: (sentence, cause) => {
      if (!stopping.signal.aborted) log.warn({ err: cause }, sentence);
    },
    onCommit: (name, stored) => {
      if (caughtUp) metrics.countCommit(name, stored);
    },
  });
  await core.start();
  caughtUp = true;
  const live = new LiveHub(core, realClock);
  metrics.watch(core, () => live.clients);
  const edge: Edge = {
    core,
    eventLog,
    snapshots,
    clock: realClock,
    access: await openAccess(config.dataDir, config.adminKey, realClock),
    live,
    metrics,
    logReader: new LogReader(eventLog),
    history: new HistoryReader(appBus, realClock, core.history),
    log,
    version: packageFile.version,
    simulated: config.simulated,
    authority: httpAuthority(config.http),
    dashboard: DASHBOARD,
    notReady: () => (logBus.isConnected() && appBus.isConnected() ? null : 'the bus is away'),
  };
  const app = await buildApp(edge);
  const { signal: ending } = stopping;
  appBus.onChange((connected) => {
    if (connected) core.freshWindow();
    else core.pause();
    if (!ending.aborted) log.warn(connected ? 'the bus is back' : 'the bus is away; sessions go on, changes must wait');
  });
  const background = [
    hearCheckIns(appBus, core, metrics, log, ending),
    keepHistory(appBus, core, log, ending),
    live.run(ending),
    ...(config.simulated ? [demonstrate(core, realClock, config.embeddedAgents.length, ending)] : []),
  ];
  void tickEverySecond({ core, log, bus: appBus, signal: ending });
  await app.listen({ host: config.http.host, port: config.http.port });
  return {
    url: `http://${edge.authority}`,
    signInUrl: newSignInLink(edge).url,
    done: core.done(),
    async stop() {
      await app.close();
      stopping.abort();
      await core.stop();
      await eventLog.close();
      await Promise.all(background);
      await Promise.all([logBus.close(), appBus.close()]);
    },
  };
}

interface DesiredPlace {
  readonly bus: Bus;
  readonly replicas: number;
  readonly standing: Map<string, Standing>;
}

/** Writes an agent's document; when its bucket is gone, as after a loss of the bus's disk, the next try finds a new one. */
async function writeDesired(
  { bus, replicas, standing }: DesiredPlace,
  document: DesiredDocument,
  look: boolean,
): Promise<void> {
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
}

/** The event logs have an account of their own, which no agent and no session can reach. */
async function connectBoth(config: Config, signal: AbortSignal): Promise<readonly [Bus, Bus]> {
  const url = config.natsUrl ?? '';
  const log = { url, user: 'muster-log', password: config.natsLogPassword ?? '', name: 'gateway log', signal };
  const app = { url, user: 'muster-app', password: config.natsAppPassword ?? '', name: 'gateway app', signal };
  return await Promise.all([connectBus(log), connectBus(app)]);
}

interface Ticking {
  readonly core: Core;
  readonly log: Logger;
  readonly bus: Bus;
  readonly signal: AbortSignal;
}

/**
 * Never two ticks at a time: one may take long while the log does not answer, and the end does not wait for it. While
 * the bus is away no time passes: nobody is silent for what could not be heard.
 */
async function tickEverySecond({ core, log, bus, signal }: Ticking): Promise<void> {
  while (!signal.aborted) {
    await realClock.sleep(TICK_MS, signal);
    try {
      if (!signal.aborted && bus.isConnected()) await core.tick();
    } catch (error) {
      log.warn({ err: error }, 'a tick of time failed; the next one follows');
    }
  }
}
