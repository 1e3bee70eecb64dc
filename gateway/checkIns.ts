import type { Logger } from 'pino';
import { followCheckIns } from '../infra/bus/checkIns.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { realClock } from '../infra/clock.ts';
import type { Core } from './core/core.ts';
import { HistoryKeeper } from './history/keeper.ts';
import type { Metrics } from './http/metrics.ts';

/** Subjects of malformed check-ins that were spoken of; a flood of them says no more. */
const MOST_NAMED = 100;

/** Brings every check-in to the core, until the signal aborts. */
export async function hearCheckIns(
  bus: Bus,
  core: Core,
  metrics: Metrics,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const named = new Set<string>();
  await followCheckIns(bus, {
    signal,
    onCheckIn({ checkIn, receivedAt }) {
      metrics.countCheckIn('received');
      core.receive(checkIn, receivedAt);
    },
    onMalformed({ subject, problem }) {
      metrics.countCheckIn('malformed');
      if (named.has(subject) || named.size >= MOST_NAMED) return;
      named.add(subject);
      log.warn({ subject, problem }, 'a check-in that is none was left out');
    },
  });
}

/** Keeps the utilization history in the background: it decides nothing. The gateway that leads the fleet's log writes it. */
export async function keepHistory(bus: Bus, core: Core, log: Logger, signal: AbortSignal): Promise<void> {
  const keeper = new HistoryKeeper({
    bus,
    clock: realClock,
    log,
    history: core.history,
    isKnown: (agentId) => core.fleetProjection.state.agents.has(agentId),
    isLeading: () => core.fleet.role === 'leading',
  });
  await keeper.run(signal);
}
