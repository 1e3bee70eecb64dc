import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { answerAgents } from '../infra/bus/agentAsk.ts';
import type { Bus } from '../infra/bus/connect.ts';
import type { DesiredDocument } from '../domain/desired.ts';
import { putDesired, readDesired, type Standing } from '../infra/bus/desired.ts';
import { ServerCode, hasServerCode } from '../infra/bus/errors.ts';
import { createBusFeed } from '../infra/bus/feed.ts';
import { createBusRelay } from '../infra/bus/relay.ts';
import { ensureCheckIns, ensureDesired, ensureLeases, ensureRollups } from '../infra/bus/streams.ts';
import { isoTime, realClock } from '../infra/clock.ts';
import { FLEET_LOG } from '../infra/log/port.ts';
import type { Config } from '../infra/config/config.ts';
import { gatewayUrl } from '../infra/config/transport.ts';
import { httpAuthority } from '../infra/httpAddress.ts';
import { createBusLeases } from '../infra/leases/bus.ts';
import { openSecrets } from '../infra/secrets/open.ts';
import { createObjectStoreSnapshots } from '../infra/snapshots/objectStore.ts';
import { openAccess } from './auth/access.ts';
import { localToken, type LocalToken } from './auth/localToken.ts';
import { keepSwept } from './auth/sweep.ts';
import { openDoor, recordInFleet, type Door } from './callout/door.ts';
import { hearCheckIns, keepHistory, recordCheckIns } from './checkIns.ts';
import { Core } from './core/core.ts';
import { demonstrate } from './demonstration.ts';
import { AgentEvents } from './history/agentEvents.ts';
import { keepCapacity } from './history/capacityKeeper.ts';
import { CapacityReader } from './history/capacityReader.ts';
import { capacityInThread } from './history/capacityThread.ts';
import { HistoryReader } from './history/reader.ts';
import { buildApp } from './http/app.ts';
import { LogReader } from './http/logReader.ts';
import { openTls, type TlsListener } from './http/tls.ts';
import { createMetrics, type Metrics } from './http/metrics.ts';
import type { Edge } from './http/edge.ts';
import { newSignInLink } from './http/links.ts';
import { LiveHub } from './live/hub.ts';
import { RecentChanges } from './live/recentChanges.ts';
import { knownDefinitions, tellPruners } from './prune/definitions.ts';
import { PruneCaller } from './prune/pruneCaller.ts';
import { OutputReader } from './output/outputReader.ts';
import { openServices } from './services/services.ts';
import { snapshotInThread } from './snapshots/thread.ts';
import { closeWays, isHearing, openWays, watchWays, whyNotReady } from './ways.ts';
import packageFile from '../package.json' with { type: 'json' };

/** A gateway that serves. */
export interface Gateway {
  readonly url: string;
  /** One-time, 15 minutes; undefined when people sign in by themselves. */
  readonly signInUrl: string | undefined;
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
 * Opens a gateway on the bus and the event store of the configuration: connects, folds the logs, serves HTTP. The order is
 * that of trust: nothing is heard or answered before the logs have been folded.
 */
export async function openGateway({
  config,
  log,
  metrics = createMetrics(),
  signal,
}: GatewayOptions): Promise<Gateway> {
  const { replicas } = config;
  const ways = await openWays({ config, log, signal });
  const { logBus, appBus, authBus, sysBus } = ways;
  const { eventLog } = ways.log;
  await Promise.all([
    ensureCheckIns(appBus, replicas),
    ensureDesired(appBus, replicas),
    ensureRollups(appBus, replicas),
    ensureLeases(logBus, replicas),
  ]);
  const stopping = new AbortController();
  const onTrouble = (sentence: string, cause?: unknown): void => {
    if (!stopping.signal.aborted) log.warn({ err: cause }, sentence);
  };
  const secrets = await openSecrets({ bus: logBus, replicas, keyPath: config.secretsKey, onTrouble });
  const recent = new RecentChanges();
  let caughtUp = false;
  let door: Door | null = null;
  let ownToken: LocalToken | null = null;
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
      const { version, troubles } = await snapshotInThread({ ...threadTask(config), log: name }, stopping.signal);
      log.debug({ log: name, version, troubles }, 'a snapshot was written');
    },
    clock: realClock,
    newLogId: randomUUID,
    reachesLogs: () => ways.log.away() === null,
    remedy: ways.log.remedy,
    putDesired: (document, look) => writeDesired({ bus: appBus, replicas, standing }, document, look),
    patience: {
      checkInSeconds: config.checkInSeconds,
      startTimeoutSeconds: config.startTimeoutMinutes * 60,
      lostAfterSeconds: config.lostAfterMinutes === null ? null : config.lostAfterMinutes * 60,
    },
    allowedRegistries: config.allowedRegistries,
    approvesItself: (agentId) => config.embeddedAgents.includes(agentId),
    // The bus admits agents without secrets of their own so far.
    onTrouble,
    onCommit: (name, stored) => {
      if (!caughtUp) return;
      metrics.countCommit(name, stored);
      recent.note(name, stored);
      door?.note(stored.commit.events);
      ownToken?.note(stored.commit.events);
      if (name === FLEET_LOG) tellPruners(appBus, core, stored);
    },
  });
  await core.start();
  caughtUp = true;
  for (const { log: name, replica } of core.replicas) {
    const unknown = (error: unknown): void => onTrouble(`what changed last in ${name} is not known`, error);
    recent.recall(eventLog, name, replica.version).catch(unknown);
  }
  const live = new LiveHub(core, realClock, recent);
  metrics.watch(core, () => live.clients);
  metrics.watchLogs(() => whyNotReady(ways) === null);
  const access = await openAccess({
    dataDir: config.dataDir,
    adminKey: config.adminKey,
    secrets,
    fleet: () => core.fleetProjection.state,
    clock: realClock,
    onTrouble,
  });
  door = openDoor({
    authBus,
    sysBus,
    issuerSeed: config.natsIssuerSeed ?? '',
    core,
    access,
    clock: realClock,
    countEntry: (outcome, seconds) => metrics.countEntry(outcome, seconds),
    onNews: (fields, sentence) => log.info(fields, sentence),
    onTrouble,
  });
  const edge: Edge = {
    core,
    eventLog,
    logs: ways.log,
    snapshots,
    secrets,
    clock: realClock,
    access,
    live,
    output: new OutputReader(appBus, realClock),
    prune: new PruneCaller(appBus, realClock),
    metrics,
    logReader: new LogReader(eventLog),
    history: new HistoryReader(appBus, realClock, core.history),
    agentEvents: new AgentEvents(appBus),
    capacity: new CapacityReader(appBus, realClock),
    log,
    version: packageFile.version,
    simulated: config.simulated,
    authority: httpAuthority(config.http),
    origin: gatewayUrl(config),
    dashboard: DASHBOARD,
    notReady: () => whyNotReady(ways),
  };
  if (config.embeddedAgents.length > 0) {
    ownToken = localToken({
      path: config.managerTokenFile,
      tokens: access.managerTokens,
      fleet: () => core.fleetProjection.state,
      record: (command) => recordInFleet(core, command),
      onTrouble,
    });
    await ownToken.ensure();
  }
  const tls = await tlsOf(config, log);
  const app = await buildApp(edge, tls);
  const { signal: ending } = stopping;
  watchWays(ways, core, log, ending);
  answerAgents(
    {
      bus: appBus,
      read: (agentId) => readDesired(appBus, agentId),
      definitions: () => (whyNotReady(ways) === null ? knownDefinitions(core) : null),
      now: () => isoTime(realClock.now()),
      onTrouble,
    },
    ending,
  );
  const background = [
    door.run(ending),
    hearCheckIns({ bus: appBus, core, door, metrics, log }, ending),
    keepHistory(appBus, core, log, ending),
    ...[...core.zones].map(([zone, { replica }]) =>
      keepCapacity(
        {
          bus: appBus,
          clock: realClock,
          zone,
          leadsAt: () => (replica.role === 'leading' ? replica.version : null),
          write: () => {
            const task = { ...threadTask(config), zone, appPassword: config.natsAppPassword ?? '' };
            return capacityInThread(task, ending);
          },
          onNews: (fields, sentence) => log.debug(fields, sentence),
          onTrouble,
        },
        ending,
      ),
    ),
    recordCheckIns({ place: config.eventLog, bus: appBus, core, metrics, log }, ending),
    live.run(ending),
    keepSwept({
      sweep: () => access.sweep(),
      isLeading: () => core.fleet.role === 'leading',
      clock: realClock,
      onTrouble,
      signal: ending,
    }),
    ...(tls === null ? [] : [tls.follow(ending)]),
    ...(config.simulated ? [demonstrate(core, realClock, config.embeddedAgents.length, ending)] : []),
  ];
  void tickEverySecond({ core, log, hears: () => isHearing(ways), signal: ending });
  await app.listen({ host: config.http.host, port: config.http.port });
  const stopServices = await openServices({ bus: appBus, app, edge, onTrouble });
  return {
    url: edge.origin,
    signInUrl: access.accounts.isAnyAdminReady ? undefined : newSignInLink(edge).url,
    done: core.done(),
    async stop() {
      await stopServices();
      await app.close();
      stopping.abort();
      await core.stop();
      await Promise.all(background);
      await secrets.close();
      await closeWays(ways);
    },
  };
}

/** Where a thread finds the logs by itself. */
function threadTask(config: Config) {
  return {
    busUrl: config.natsUrl ?? '',
    busTls: config.natsTls,
    password: config.natsLogPassword ?? '',
    replicas: config.replicas,
    place: config.eventLog,
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

/** Null: it speaks plain HTTP, on loopback. */
async function tlsOf(config: Config, log: Logger): Promise<TlsListener | null> {
  if (config.tls === null) return null;
  return await openTls({
    files: config.tls,
    host: new URL(gatewayUrl(config)).hostname.replaceAll(/[[\]]/g, ''),
    clock: realClock,
    onNews: (sentence) => log.info(sentence),
    onWarning: (sentence) => log.warn(sentence),
  });
}

interface Ticking {
  readonly core: Core;
  readonly log: Logger;
  readonly hears: () => boolean;
  readonly signal: AbortSignal;
}

/**
 * Never two ticks at a time: one may take long while the log does not answer, and the end does not wait for it. While
 * bus or event store are away no time passes: nobody is silent for what could not be heard, or recorded.
 */
async function tickEverySecond({ core, log, hears, signal }: Ticking): Promise<void> {
  while (!signal.aborted) {
    await realClock.sleep(TICK_MS, signal);
    try {
      if (!signal.aborted && hears()) await core.tick();
    } catch (error) {
      log.warn({ err: error }, 'a tick of time failed; the next one follows');
    }
  }
}
