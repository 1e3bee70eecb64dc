import type { Bus } from '../../infra/bus/connect.ts';
import type { Clock } from '../../infra/clock.ts';
import { zoneLog } from '../../infra/log/port.ts';
import type { CapacityDone } from './capacityThread.ts';
import { HOUR_MS, standingCapacityMark } from './capacityStore.ts';

export interface CapacityKeeperOptions {
  /** Account APP. */
  readonly bus: Bus;
  readonly clock: Clock;
  readonly zone: string;
  /** The version of the zone's log; null while another gateway leads it. */
  readonly leadsAt: () => number | null;
  readonly write: () => Promise<CapacityDone>;
  readonly onNews: (fields: object, sentence: string) => void;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

const LOOK_MS = 60_000;
/** The feed has a month, so an hour is soon enough, and leaves little to be undone when somebody asks. */
const EVERY_MS = HOUR_MS;

/** Has kept what moved, once an hour while this gateway leads the zone, until the signal aborts. It decides nothing. */
export async function keepCapacity(options: CapacityKeeperOptions, signal: AbortSignal): Promise<void> {
  const { clock, zone, bus, write, onNews, onTrouble } = options;
  let failing = false;
  for (;;) {
    await clock.sleep(LOOK_MS, signal);
    if (signal.aborted) return;
    try {
      if (!bus.isConnected() || !(await isDue(options))) continue;
      const { version, troubles } = await write();
      onNews({ zone, version, troubles }, 'capacity and allocated are kept');
      failing = false;
    } catch (error) {
      if (!failing) onTrouble(`capacity and allocated of ${zoneLog(zone)} could not be kept; trying again`, error);
      failing = true;
    }
  }
}

async function isDue({ bus, clock, zone, leadsAt }: CapacityKeeperOptions): Promise<boolean> {
  const version = leadsAt();
  if (version === null || version === 0) return false;
  const mark = await standingCapacityMark(bus, zoneLog(zone));
  if (mark === null) return true;
  return mark.version !== version && clock.now() - mark.writtenAt >= EVERY_MS;
}
