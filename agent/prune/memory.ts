import type { PulledImage } from '../../domain/pruning/plan.ts';
import type { PruneMark, PruneRecord } from '../../domain/pruning/record.ts';

/**
 * What the agent remembers of images: which it pulled itself, so that nobody else's is ever removed, and what it removed, until
 * the log has it. All of this is pure and part of the ledger.
 */
export interface LedgerImage extends PulledImage {
  /** Why a prune by itself last left it, when something was against it: the same is not told every hour. */
  readonly skipped: string | null;
}

export interface PruneLedger {
  /** Tells this count from one that an earlier disk of this agent began; null until something was counted. */
  readonly series: string | null;
  readonly next: number;
  /** On disk before the engine is asked: after a crash a look at the engine tells what became of it. */
  readonly underWay: Removal | null;
  /** Not known to be in the log, in the order of their numbers. */
  readonly records: readonly PruneRecord[];
}

export interface Removal {
  readonly record: PruneRecord;
  readonly tags: readonly string[];
  readonly whole: boolean;
}

export const emptyPruneLedger: PruneLedger = { series: null, next: 1, underWay: null, records: [] };

/** The log has all up to the mark. */
export function dropRecorded(prunes: PruneLedger, mark: PruneMark | null): PruneLedger {
  if (mark === null || mark.series !== prunes.series) return prunes;
  const records = prunes.records.filter(({ number }) => number > mark.number);
  return records.length === prunes.records.length ? prunes : { ...prunes, records };
}
