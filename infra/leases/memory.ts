import type { Clock } from '../clock.ts';
import type { LogName } from '../log/port.ts';
import type { LeaseStore, StandingLease } from './port.ts';

/** Leases in memory, for tests and the simulation: whoever holds the same `standing` competes for the same leases. */
export function createMemoryLeases(
  clock: Pick<Clock, 'now'>,
  standing: Map<LogName, StandingLease> = new Map(),
): LeaseStore {
  return {
    read: async (log) => standing.get(log) ?? null,
    async write(log, record, revision) {
      if ((standing.get(log)?.revision ?? 0) !== revision) return null;
      standing.set(log, { record, revision: revision + 1 });
      return revision + 1;
    },
    time: async () => ({ ms: clock.now(), withinMs: 0 }),
  };
}
