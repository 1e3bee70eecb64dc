import { join } from 'node:path';
import type { Logger } from 'pino';
import { ensureCheckIns, ensureDesired, ensureLeases, ensureRollups } from '../infra/bus/streams.ts';
import { realClock } from '../infra/clock.ts';
import type { Config } from '../infra/config/config.ts';
import { gatewayUrl } from '../infra/config/transport.ts';
import { httpAuthority } from '../infra/httpAddress.ts';
import { FLEET_LOG, type StoredCommit } from '../infra/log/port.ts';
import { openSecrets } from '../infra/secrets/open.ts';
import { createObjectStoreSnapshots } from '../infra/snapshots/objectStore.ts';
import { openAccess, type Access } from './auth/access.ts';
import { localToken, type LocalToken } from './auth/localToken.ts';
import { runBackground } from './background.ts';
import { openDoor, recordInFleet } from './callout/door.ts';
import type { Core } from './core/core.ts';
import { AgentEvents } from './history/agentEvents.ts';
import { CapacityReader } from './history/capacityReader.ts';
import { HistoryReader } from './history/reader.ts';
import { buildApp } from './http/app.ts';
import type { Edge } from './http/edge.ts';
import { newSignInLink } from './http/links.ts';
import { LogReader } from './http/logReader.ts';
import { createMetrics, type Metrics } from './http/metrics.ts';
import { openTls, type TlsListener } from './http/tls.ts';
import { LiveHub } from './live/hub.ts';
import { RecentChanges } from './live/recentChanges.ts';
import { openCore } from './openCore.ts';
import { OutputReader } from './output/outputReader.ts';
import { tellPruners } from './prune/definitions.ts';
import { PruneCaller } from './prune/pruneCaller.ts';
import { openServices } from './services/services.ts';
import { closeWays, openWays, whyNotReady, type Ways } from './ways.ts';
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

const DASHBOARD = join(import.meta.dirname, '../ui/dist');

/** To be told of every acknowledged commit, in the order of its log. */
type Listener = (log: string, stored: StoredCommit) => void;

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
  await ensurePlaces(ways, replicas);
  const stopping = new AbortController();
  const onTrouble = (sentence: string, cause?: unknown): void => {
    if (!stopping.signal.aborted) log.warn(cause === undefined || cause === null ? {} : { err: cause }, sentence);
  };
  const secrets = await openSecrets({ bus: logBus, replicas, keyPath: config.secretsKey, onTrouble });
  const snapshots = createObjectStoreSnapshots({ bus: logBus, replicas });
  // Empty while the past is folded: what happened long ago is nobody's news.
  const listeners: Listener[] = [];
  const onCommit: Listener = (name, stored) => {
    for (const listener of listeners) listener(name, stored);
  };
  const core = openCore({ config, ways, snapshots, log, ending: stopping.signal, onCommit, onTrouble });
  await core.start();
  const recent = recentChanges(core, ways, onTrouble);
  listeners.push(
    (name, stored) => metrics.countCommit(name, stored),
    (name, stored) => recent.note(name, stored),
    (name, stored) => {
      if (name === FLEET_LOG) tellPruners(appBus, core, stored);
    },
  );
  const live = new LiveHub(core, realClock, recent);
  metrics.watch(core, () => live.clients);
  metrics.watchLogs(() => whyNotReady(ways) === null);
  const fleet = () => core.fleetProjection.state;
  const { dataDir, adminKey } = config;
  const access = await openAccess({ dataDir, adminKey, secrets, fleet, clock: realClock, onTrouble });
  const door = openDoor({
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
  listeners.push((_, { commit }) => door.note(commit.events));
  if (config.embeddedAgents.length > 0) {
    const ownToken = ownTokenOf(config, core, access, onTrouble);
    listeners.push((_, { commit }) => ownToken.note(commit.events));
    await ownToken.ensure();
  }
  const history = new HistoryReader(appBus, realClock, core.history);
  const edge: Edge = {
    ...readersOf(ways),
    ...shownOf(config),
    history,
    core,
    snapshots,
    secrets,
    access,
    live,
    metrics,
    log,
  };
  const tls = await tlsOf(config, log);
  const app = await buildApp(edge, tls);
  const background = runBackground(
    { config, ways, core, door, access, live, metrics, tls, log, onTrouble },
    stopping.signal,
  );
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
      await background;
      await secrets.close();
      await closeWays(ways);
    },
  };
}

async function ensurePlaces({ appBus, logBus }: Ways, replicas: number): Promise<void> {
  await Promise.all([
    ensureCheckIns(appBus, replicas),
    ensureDesired(appBus, replicas),
    ensureRollups(appBus, replicas),
    ensureLeases(logBus, replicas),
  ]);
}

/** Filled in the background with what happened before this gateway began. */
function recentChanges(core: Core, ways: Ways, onTrouble: (sentence: string, cause?: unknown) => void): RecentChanges {
  const recent = new RecentChanges();
  for (const { log: name, replica } of core.replicas) {
    const unknown = (error: unknown): void => onTrouble(`what changed last in ${name} is not known`, error);
    recent.recall(ways.log.eventLog, name, replica.version).catch(unknown);
  }
  return recent;
}

/** The token of the agent on this machine, which is started along with this gateway. */
function ownTokenOf(
  config: Config,
  core: Core,
  access: Access,
  onTrouble: (sentence: string, cause: unknown) => void,
): LocalToken {
  return localToken({
    path: config.managerTokenFile,
    tokens: access.managerTokens,
    fleet: () => core.fleetProjection.state,
    record: (command) => recordInFleet(core, command),
    onTrouble,
  });
}

/** What routes read from the bus and the event store. */
function readersOf(ways: Ways) {
  const { appBus, log: logs } = ways;
  return {
    eventLog: logs.eventLog,
    logs,
    logReader: new LogReader(logs.eventLog),
    agentEvents: new AgentEvents(appBus),
    capacity: new CapacityReader(appBus, realClock),
    output: new OutputReader(appBus, realClock),
    prune: new PruneCaller(appBus, realClock),
    notReady: () => whyNotReady(ways),
    clock: realClock,
  };
}

function shownOf(config: Config) {
  return {
    version: packageFile.version,
    simulated: config.simulated,
    authority: httpAuthority(config.http),
    origin: gatewayUrl(config),
    dashboard: DASHBOARD,
  };
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
