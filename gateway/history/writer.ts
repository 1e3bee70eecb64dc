import type { Bus } from '../../infra/bus/connect.ts';
import type { Clock } from '../../infra/clock.ts';
import { bucketsOf, forgetHour, openHours, type UtilizationHistory } from '../../projections/utilization.ts';
import { storeHours } from './rollupStore.ts';

export interface WriteHoursOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly history: UtilizationHistory;
  /** Hours that began before this time (ms) are written. */
  readonly before: number;
  readonly isLeading: () => boolean;
  readonly signal: AbortSignal;
}

const AGENTS_AT_ONCE = 16;
/** The rest after a batch, in times of what it took: an hour closes for the whole fleet at once, and others work too. */
const REST = 2;

/**
 * Writes the hours of every agent that are closed, and drops what was written. Tells whether it came to the end: not when
 * this gateway leads no more. Throws BusError; what is not written stays.
 */
export async function writeHours(options: WriteHoursOptions): Promise<boolean> {
  const { clock, history, before, isLeading, signal } = options;
  const agents = [...history.keys()].filter((agentId) => openHours(history, agentId, before).length > 0);
  for (let first = 0; first < agents.length; first += AGENTS_AT_ONCE) {
    const startedAt = clock.now();
    const batch = agents.slice(first, first + AGENTS_AT_ONCE);
    await Promise.all(batch.map(async (agentId) => await writeAgent(options, agentId)));
    await clock.sleep(REST * (clock.now() - startedAt), signal);
    if (signal.aborted || !isLeading()) return false;
  }
  return true;
}

/** What arrives for one of these hours while it is written stays for the next time. */
async function writeAgent({ bus, clock, history, before }: WriteHoursOptions, agentId: string): Promise<void> {
  const hours = openHours(history, agentId, before).map((hour) => ({ hour, samples: hour.samples }));
  await storeHours(
    bus,
    clock,
    agentId,
    hours.map(({ hour }) => bucketsOf(hour)),
  );
  for (const { hour, samples } of hours) {
    if (hour.samples === samples) forgetHour(history, agentId, hour.start);
  }
}
