import { CLOCK_TOLERANCE_MS } from '../../infra/clock.ts';
import type { BusAccount } from './bus.ts';
import { ok, warning, type Finding } from './finding.ts';

const CHECK = 'clock';

/** Compares this host's clock with the bus's, whose time is the one that counts. Null: the bus told none. */
export function judgeClock(bus: BusAccount | null): Finding {
  if (bus === null || bus.time === null || bus.aheadMs === null) {
    return warning(CHECK, "not compared with the bus's, because the bus tells no time yet");
  }
  const seconds = (Math.abs(bus.aheadMs) / 1000).toFixed(1);
  if (Math.abs(bus.aheadMs) <= CLOCK_TOLERANCE_MS + bus.time.withinMs / 2) {
    return ok(CHECK, `${seconds} s off the bus's`);
  }
  const way = bus.aheadMs > 0 ? 'ahead of' : 'behind';
  return warning(
    CHECK,
    `${seconds} s ${way} the bus's: what this host reports has wrong times`,
    'sudo timedatectl set-ntp true (or install chrony), here and where the bus runs',
  );
}
