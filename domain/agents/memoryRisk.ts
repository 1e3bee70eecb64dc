import { formatBytes } from '../units.ts';

/**
 * What may happen when sessions use all the memory that they were promised. `covered` (amber): past physical memory, but
 * swap covers it. `uncovered` (red): nothing does, so sessions can be killed.
 */
export interface MemoryRisk {
  readonly level: 'covered' | 'uncovered';
  readonly sentence: string;
}

/** All in bytes. `limits` is the sum of the sessions' memory limits; `override` null means none. */
export interface MemorySituation {
  readonly limits: number;
  readonly physical: number;
  readonly swap: number;
  readonly override: number | null;
}

/** The risks as they stand, the worst first; none while the limits fit into physical memory and no override exceeds it. */
export function memoryRisks({ limits, physical, swap, override }: MemorySituation): readonly MemoryRisk[] {
  const risks: MemoryRisk[] = [];
  const uncovered = limits - physical - swap;
  if (uncovered > 0) {
    risks.push({
      level: 'uncovered',
      sentence: `${formatBytes(uncovered)} not covered by RAM or swap: sessions can be killed`,
    });
  } else if (limits > physical) {
    risks.push({
      level: 'covered',
      sentence: `${formatBytes(limits - physical)} past physical memory, covered by swap`,
    });
  }
  if (swap === 0 && override !== null && override > physical) {
    risks.push({
      level: 'uncovered',
      sentence: 'no swap, and memory is overridden above physical: when sessions use all of it, some are killed',
    });
  }
  return risks;
}
