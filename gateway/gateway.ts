import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { connectBus, type Bus } from '../infra/bus/connect.ts';
import { putDesired, type Standing } from '../infra/bus/desired.ts';
import { ensureCheckIns, ensureDesired } from '../infra/bus/streams.ts';
import { realClock } from '../infra/clock.ts';
import { httpAuthority, type Config } from '../infra/config.ts';
import { createJetStreamLog } from '../infra/log/jetstream.ts';
import { openAccess } from './auth/access.ts';
import { hearCheckIns, refillHistory } from './checkIns.ts';
import { Core } from './core/core.ts';
import { demonstrate } from './demonstration.ts';
import { buildApp } from './http/app.ts';
import { LogReader } from './http/logReader.ts';
import { createMetrics, type Metrics } from './http/metrics.ts';
import type { Edge } from './http/edge.ts';
import { newSignInLink } from './http/routes/signInLinks.ts';
import { LiveHub } from './live/hub.ts';
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

const REPLICAS = 1;
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
  const [logBus, appBus] = await connectBoth(config, signal);
  await Promise.all([ensureCheckIns(appBus, REPLICAS), ensureDesired(appBus, REPLICAS)]);
  const eventLog = createJetStreamLog({ bus: logBus, replicas: REPLICAS });
  const stopping = new AbortController();
  let caughtUp = false;
  const standing = new Map<string, Standing>();
  const core = new Core({
    eventLog,
    clock: realClock,
    newLogId: randomUUID,
    putDesired: (document) => putDesired(appBus, document, standing),
    checkInSeconds: config.checkInSeconds,
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
    clock: realClock,
    access: await openAccess(config.dataDir, config.adminKey, realClock),
    live,
    metrics,
    logReader: new LogReader(eventLog),
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
    if (!ending.aborted) log.warn(connected ? 'the bus is back' : 'the bus is away; sessions go on, changes must wait');
  });
  const background = [
    hearCheckIns(appBus, core, metrics, log, ending),
    refillHistory(appBus, core, log, ending),
    live.run(ending),
    ...(config.simulated ? [demonstrate(core, realClock, config.embeddedAgents.length, ending)] : []),
  ];
  core.freshWindow();
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
