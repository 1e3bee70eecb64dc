import type { Commit, CommandOutcome } from './commit.ts';

/** How many outcomes are remembered at least, and for how long. A key repeated much later than that is a new command. */
export const OUTCOMES_KEPT = 100_000;
export const OUTCOME_HOURS = 24;

/**
 * What has had its time goes in batches of so many, or so many minutes: finding the oldest entry of a Map means walking
 * over the holes that earlier ones have left, which took 30 µs when it was done with every commit.
 */
const BATCH = 1000;
const BATCH_MINUTES = 10;
const KEPT_MS = OUTCOME_HOURS * 3_600_000;

/**
 * The commands a log has carried out, folded from its commits: so that a repeated key is answered as the first time, also
 * after a crash or by another gateway. Entries stand in log order, so the oldest are the first to go; `dueAt`, in ms since
 * 1970, is when they have to be looked at again. Plain data, so that a snapshot can hold it.
 */
export interface CommandMemory {
  readonly outcomes: Map<string, Remembered>;
  dueAt: number;
}

export interface Remembered extends CommandOutcome {
  readonly at: string;
  readonly version: number;
}

export function emptyMemory(): CommandMemory {
  return { outcomes: new Map(), dueAt: 0 };
}

export function remember(memory: CommandMemory, commit: Pick<Commit, 'commands' | 'at' | 'version'>): void {
  const { outcomes } = memory;
  const { commands, at, version } = commit;
  for (const { key, requestHash, outcome } of commands) {
    // A key that comes again was a new command: it takes its place at the end, where its time is.
    outcomes.delete(key);
    outcomes.set(key, { key, requestHash, outcome, at, version });
  }
  const now = Date.parse(at);
  if (outcomes.size >= OUTCOMES_KEPT + BATCH || now >= memory.dueAt) forget(memory, now);
}

function forget(memory: CommandMemory, now: number): void {
  memory.dueAt = now + BATCH_MINUTES * 60_000;
  for (const [key, { at }] of memory.outcomes) {
    if (memory.outcomes.size <= OUTCOMES_KEPT && Date.parse(at) + KEPT_MS >= now) return;
    memory.outcomes.delete(key);
  }
}
