import type { Logger } from 'pino';
import { answerAgents } from '../infra/bus/agentAsk.ts';
import { readDesired } from '../infra/bus/desired.ts';
import { isoTime, realClock } from '../infra/clock.ts';
import type { Config } from '../infra/config/config.ts';
import type { Access } from './auth/access.ts';
import { keepSwept } from './auth/sweep.ts';
import type { Door } from './callout/door.ts';
import { hearCheckIns, keepHistory, recordCheckIns } from './checkIns.ts';
import type { Core } from './core/core.ts';
import { demonstrate } from './demonstration.ts';
import { keepCapacity } from './history/capacityKeeper.ts';
import { capacityInThread } from './history/capacityThread.ts';
import type { Metrics } from './http/metrics.ts';
import type { TlsListener } from './http/tls.ts';
import type { LiveHub } from './live/hub.ts';
import { knownDefinitions } from './prune/definitions.ts';
import { threadTask } from './snapshots/thread.ts';
import { isHearing, watchWays, whyNotReady, type Ways } from './ways.ts';

export interface BackgroundParts {
  readonly config: Config;
  readonly ways: Ways;
  readonly core: Core;
  readonly door: Door;
  readonly access: Access;
  readonly live: LiveHub;
  readonly metrics: Metrics;
  /** Null: plain HTTP, on loopback. */
  readonly tls: TlsListener | null;
  readonly log: Logger;
  readonly onTrouble: (sentence: string, cause?: unknown) => void;
}

const TICK_MS = 1000;

/** Begins everything that a gateway does without being asked over HTTP. Resolves once the signal has ended all of it. */
export async function runBackground(parts: BackgroundParts, signal: AbortSignal): Promise<void> {
  const { config, ways, core, door, access, live, metrics, tls, log, onTrouble } = parts;
  const { appBus: bus } = ways;
  watchWays(ways, core, log, signal);
  const answering = {
    bus,
    read: (agentId: string) => readDesired(bus, agentId),
    mayAsk: (agentId: string) => door.mayAsk(agentId),
    definitions: () => (whyNotReady(ways) === null ? knownDefinitions(core) : null),
    now: () => isoTime(realClock.now()),
    onTrouble,
  };
  answerAgents(answering, signal);
  const sweeping = {
    sweep: () => access.sweep(),
    isLeading: () => core.fleet.role === 'leading',
    clock: realClock,
    onTrouble,
    signal,
  };
  // It ends by itself, and is not waited for: a tick may take long while the log does not answer.
  void tickEverySecond(parts, signal);
  await Promise.all([
    door.run(signal),
    hearCheckIns({ bus, core, door, metrics, log }, signal),
    keepHistory(bus, core, log, signal),
    keepCapacities(parts, signal),
    recordCheckIns({ place: config.eventLog, bus, core, metrics, log }, signal),
    live.run(signal),
    keepSwept(sweeping),
    tls?.follow(signal),
    config.simulated ? demonstrate(core, realClock, config.embeddedAgents.length, signal) : null,
  ]);
}

/** Capacity and allocated of each zone. */
async function keepCapacities(
  { config, ways, core, log, onTrouble }: BackgroundParts,
  signal: AbortSignal,
): Promise<void> {
  const zones = [...core.zones].map(([zone, { replica }]) => {
    const task = { ...threadTask(config), zone, appPassword: config.natsAppPassword ?? '' };
    const options = {
      bus: ways.appBus,
      clock: realClock,
      zone,
      leadsAt: () => (replica.role === 'leading' ? replica.version : null),
      write: () => capacityInThread(task, signal),
      onNews: (fields: object, sentence: string) => log.debug(fields, sentence),
      onTrouble,
    };
    return keepCapacity(options, signal);
  });
  await Promise.all(zones);
}

/**
 * Never two ticks at a time. While bus or event store are away no time passes: nobody is silent for what could not be heard, or
 * recorded.
 */
async function tickEverySecond(
  { core, ways, log }: Pick<BackgroundParts, 'core' | 'ways' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await realClock.sleep(TICK_MS, signal);
    try {
      if (!signal.aborted && isHearing(ways)) await core.tick();
    } catch (error) {
      log.warn({ err: error }, 'a tick of time failed; the next one follows');
    }
  }
}
