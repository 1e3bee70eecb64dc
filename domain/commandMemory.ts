import type { Commit, CommandOutcome } from './commit.ts';

/** How many outcomes are remembered, and for how long. A key repeated later than that is a new command. */
export const OUTCOMES_KEPT = 100_000;
export const OUTCOME_HOURS = 24;

/**
 * The commands a log has carried out, folded from its commits: so that a repeated key is answered as the first time, also
 * after a crash or by another gateway. Entries stand in log order, so the oldest are the first to go.
 */
export interface CommandMemory {
  readonly outcomes: Map<string, Remembered>;
}

export interface Remembered extends CommandOutcome {
  readonly at: string;
  readonly version: number;
}

export function emptyMemory(): CommandMemory {
  return { outcomes: new Map() };
}

export function remember(memory: CommandMemory, commit: Pick<Commit, 'commands' | 'at' | 'version'>): void {
  for (const command of commit.commands) {
    memory.outcomes.set(command.key, { ...command, at: commit.at, version: commit.version });
  }
  const oldest = Date.parse(commit.at) - OUTCOME_HOURS * 3_600_000;
  for (const [key, { at }] of memory.outcomes) {
    if (memory.outcomes.size <= OUTCOMES_KEPT && Date.parse(at) >= oldest) break;
    memory.outcomes.delete(key);
  }
}
