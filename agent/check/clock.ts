import { CLOCK_TOLERANCE_MS } from '../../infra/clock.ts';
import type { BusAccount } from './bus.ts';
import { ok, warning, type Finding } from './finding.ts';

const CHECK = 'clock';

/** Compares this host's clock with a gateway's, which is held to the bus's. Null: none told its time. */
export function judgeClock(bus: BusAccount | null): Finding {
  if (bus === null || bus.time === null || bus.aheadMs === null) {
    return warning(CHECK, 'not compared, because no gateway has told its time');
  }
  const seconds = (Math.abs(bus.aheadMs) / 1000).toFixed(1);
  if (Math.abs(bus.aheadMs) <= CLOCK_TOLERANCE_MS + bus.time.withinMs / 2) {
    return ok(CHECK, `${seconds} s off the gateway's`);
  }
  const way = bus.aheadMs > 0 ? 'ahead of' : 'behind';
  return warning(
    CHECK,
    `${seconds} s ${way} the gateway's: what this host reports has wrong times`,
    'sudo timedatectl set-ntp true (or install chrony), here and where the gateway runs',
  );
}
