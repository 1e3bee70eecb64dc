import type { Logger } from 'pino';
import { followCheckIns, readCheckIns } from '../infra/bus/checkIns.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { isoTime, realClock } from '../infra/clock.ts';
import { addSample } from '../projections/utilization.ts';
import type { Core } from './core/core.ts';
import type { Metrics } from './http/metrics.ts';

const HISTORY_HOURS = 24;
/** So many stored check-ins are folded before everything else gets its turn. */
const BATCH = 500;
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

/** Fills the charts with the last day of stored check-ins, in the background: it decides nothing. */
export async function refillHistory(bus: Bus, core: Core, log: Logger, signal: AbortSignal): Promise<void> {
  const since = isoTime(realClock.now() - HISTORY_HOURS * 3_600_000);
  let count = 0;
  try {
    for await (const { checkIn, receivedAt } of readCheckIns(bus, { since, signal })) {
      const { agentId, simulated, observedAt, usage } = checkIn;
      if (!core.fleetProjection.state.agents.has(agentId)) continue;
      addSample(core.history, agentId, Date.parse(simulated ? observedAt : receivedAt), usage);
      count += 1;
      if (count % BATCH === 0) await realClock.sleep(1, signal);
    }
    log.debug({ checkIns: count }, 'the charts have their last day');
  } catch (error) {
    if (!signal.aborted) log.warn({ err: error }, 'the charts begin now: older check-ins could not be read');
  }
}
