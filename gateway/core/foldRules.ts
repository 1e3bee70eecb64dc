import type { FleetState } from '../../domain/fleet/state.ts';
import type { ZoneState } from '../../domain/zone/state.ts';
import { FLEET_LOG, zoneLog, type LogName } from '../../infra/log/port.ts';
import { applyFleetCommit, emptyFleetProjection, type FleetProjection } from '../../projections/fleetProjection.ts';
import { applyZoneCommit, emptyZoneProjection, type ZoneProjection } from '../../projections/zoneProjection.ts';
import type { FoldRules } from '../controller/logFold.ts';

/** How each kind of log is folded: the same in a gateway and in the thread that writes its snapshots. */

export const fleetRules: FoldRules<FleetState, FleetProjection> = {
  empty: () => emptyFleetProjection(FLEET_LOG),
  apply: applyFleetCommit,
  forgetTouched({ touched }) {
    touched.agents.clear();
    touched.images.clear();
  },
};

export function zoneRules(zone: string): FoldRules<ZoneState, ZoneProjection> {
  return {
    empty: () => emptyZoneProjection(zone, zoneLog(zone)),
    apply: applyZoneCommit,
    forgetTouched({ touched }) {
      touched.agents.clear();
      touched.sessions.clear();
    },
  };
}

/** The zone whose log it is; null for the fleet's. */
export function zoneOf(log: LogName): string | null {
  return log === FLEET_LOG ? null : log.slice(zoneLog('').length);
}
