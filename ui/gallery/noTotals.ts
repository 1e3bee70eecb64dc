import type { FleetTotals } from '../../projections/views.ts';

/** The totals of a fleet without agents. */
export function noTotals(): FleetTotals {
  const none = { millicores: 0, memoryBytes: 0, gpus: 0 };
  return {
    connectivity: { never: 0, online: 0, late: 0, missing: 0, lost: 0 },
    intent: { pending: 0, enabled: 0, disabled: 0, revoked: 0 },
    allocated: none,
    capacity: none,
    closed: { ...none, agents: 0 },
    used: { agents: 0, cpuMillicores: 0, memoryBytes: 0, ofMillicores: 0, ofMemoryBytes: 0, oldestAt: null },
    gpus: { detected: 0, schedulable: 0, free: 0 },
    sessions: { waiting: 0, placed: 0, starting: 0, running: 0, stopping: 0, unknown: 0 },
  };
}
