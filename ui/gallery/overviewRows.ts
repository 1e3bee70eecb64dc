import type { ChangeView, FleetTotals } from '../../projections/views.ts';
import { GIB, NOON, secondsBefore } from './fixtures.ts';

/** Invented totals and changes for the gallery and for tests of the page. */

/** Three agents, one of them closed, with a GPU that failed. */
export function totalsRow(change: Partial<FleetTotals> = {}): FleetTotals {
  return {
    connectivity: { never: 1, online: 2, late: 0, missing: 1, lost: 0 },
    intent: { pending: 1, enabled: 2, disabled: 1, revoked: 0 },
    allocated: { millicores: 13_000, memoryBytes: 69 * GIB, gpus: 1 },
    capacity: { millicores: 82_000, memoryBytes: 275.6 * GIB, gpus: 2 },
    closed: { millicores: 6000, memoryBytes: 12 * GIB, gpus: 0, agents: 1 },
    used: {
      agents: 2,
      cpuMillicores: 24_440,
      memoryBytes: 121.3 * GIB,
      ofMillicores: 70_000,
      ofMemoryBytes: 263.6 * GIB,
      oldestAt: secondsBefore(8),
    },
    gpus: { detected: 4, schedulable: 2, free: 1 },
    sessions: { waiting: 2, placed: 1, starting: 1, running: 37, stopping: 1, unknown: 3 },
    ...change,
  };
}

export function changeRow(change: Partial<ChangeView> = {}): ChangeView {
  return {
    position: 'zone-default:17',
    index: 0,
    at: secondsBefore(40),
    actor: { kind: 'operator', id: 'ada' },
    reason: 'kernel update',
    weight: 'plain',
    about: { kind: 'agent', id: 'host-1' },
    words: 'was disabled',
    ...change,
  };
}

/** One of every weight and kind, newest first. */
export function everyChange(now: number = NOON): readonly ChangeView[] {
  const system = { kind: 'system', id: 'muster' } as const;
  const agent = { kind: 'agent', id: 'gpu-02' } as const;
  const rows: readonly Partial<ChangeView>[] = [
    {
      weight: 'trouble',
      actor: system,
      reason: null,
      words: 'is missing: silent for 60 s',
      about: { kind: 'agent', id: 'host-4' },
    },
    { words: 'counts with 12 cores, by an override', reason: 'head-room for the course' },
    {
      weight: 'trouble',
      actor: agent,
      reason: null,
      about: { kind: 'session', id: 's-train-1' },
      words: 'ended: the kernel killed it for want of memory',
    },
    { weight: 'good', words: 'was enabled', reason: null },
    { about: { kind: 'image', id: 'desktop' }, words: 'was changed: now revision 4', reason: null },
    { about: { kind: 'access', id: 'ben' }, words: 'may sign in, as operator', reason: null },
    {
      weight: 'trouble',
      actor: system,
      reason: null,
      about: null,
      words: 'connections to the bus were refused: TOKEN_REVOKED 12, FINGERPRINT_OTHER 1',
    },
  ];
  return rows.map((row, index) =>
    changeRow({ position: `zone-default:${90 - index}`, at: secondsBefore(20 + index * index * 700, now), ...row }),
  );
}
