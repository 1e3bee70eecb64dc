import type { Commit } from '../../domain/commit.ts';
import type { Clock } from '../../infra/clock.ts';
import { encodeCommit } from '../../infra/log/codec.ts';
import {
  LogError,
  LogErrorCode,
  isLogUnavailable,
  isOutcomeUnknown,
  isVersionConflict,
} from '../../infra/log/errors.ts';
import type { EventLog, LogName, StoredCommit } from '../../infra/log/port.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

export interface Settling {
  readonly eventLog: EventLog;
  readonly log: LogName;
  readonly commit: Commit;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Resolves when this gateway may write now; rejects when it may not any more. Asked before every try. */
  readonly mayWrite: (signal: AbortSignal) => Promise<void>;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

/**
 * Appends one commit and does not come back before its fate is known: acknowledged, or certainly not written. A lost
 * reply is settled by reading what stands at our version; an unavailable store is tried again, with the same bytes.
 * Throws LogError VERSION_CONFLICT when another commit stands there, and whatever says that it can never be written.
 */
export async function settle(settling: Settling): Promise<StoredCommit> {
  const { eventLog, log, commit, clock, signal, mayWrite, onTrouble } = settling;
  const expected = commit.version - 1;
  const ours = encodeCommit(commit).hash;
  let pause = FIRST_PAUSE_MS;
  let doubtful = false;
  let standing: StoredCommit | null = null;
  while (standing === null) {
    await mayWrite(signal);
    try {
      if (doubtful) standing = await firstAfter(eventLog, log, expected);
      if (standing !== null) break;
      const { hash } = await eventLog.append(log, expected, commit);
      return { commit, hash };
    } catch (error) {
      const unknown = isOutcomeUnknown(error);
      // An earlier try may have been written after all: then the conflict is with ourselves, and reading tells.
      const maybeOurs = doubtful && isVersionConflict(error);
      if (signal.aborted || !(unknown || maybeOurs || isLogUnavailable(error))) throw error;
      if (!doubtful) onTrouble(`the ${log} log does not answer; trying until it does`, error);
      doubtful = true;
    }
    await clock.sleep(pause, signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
  if (standing.hash === ours) return standing;
  throw new LogError(LogErrorCode.VersionConflict, `another writer's commit ${commit.version} stands in ${log}`);
}

async function firstAfter(eventLog: EventLog, log: LogName, version: number): Promise<StoredCommit | null> {
  for await (const stored of eventLog.read(log, version)) return stored;
  return null;
}
