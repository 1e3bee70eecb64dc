import { formatPosition } from '../../domain/commit.ts';
import type { LogName, StoredCommit } from './port.ts';

/** Why a log is not copied, as data. */
export const CopyRefusal = {
  /** Both hold a log of that name, and they never had anything in common. */
  OtherLog: 'OTHER_LOG',
  /** Both hold the log, and from some version on each has a history of its own. */
  Differs: 'TARGET_DIFFERS',
  Ahead: 'TARGET_AHEAD',
  /** Somebody else wrote into the target while it was copied to. */
  Written: 'TARGET_WRITTEN',
  SourceOffline: 'SOURCE_OFFLINE',
  TargetOffline: 'TARGET_OFFLINE',
} as const;
export type CopyRefusal = (typeof CopyRefusal)[keyof typeof CopyRefusal];

/** The target is not, or not any more, a beginning of the source, or that cannot be told; it was left as it is. */
export class CopyRefused extends Error {
  override readonly name = 'CopyRefused';
  readonly code: CopyRefusal;
  /** The first one that is not the same on both sides; of history that was moved offline, the first one that is there. */
  readonly version: number;
  /** What the operator can do about it: sentences. */
  readonly remedy: string;

  constructor(code: CopyRefusal, version: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.version = version;
    this.remedy = REMEDIES[code];
  }
}

export function isCopyRefused(error: unknown): error is CopyRefused {
  return error instanceof CopyRefused;
}

/** Stopped on demand, between two commits; the same copy again goes on where the target ends. */
export class CopyInterrupted extends Error {
  override readonly name = 'CopyInterrupted';
  readonly code = 'COPY_INTERRUPTED';
  /** How far the target has come; null while both were still compared. */
  readonly reached: number | null;

  constructor(log: LogName, reached: number | null) {
    const isBegun = reached !== null && reached > 0;
    super(`stopped ${isBegun ? `behind ${formatPosition(log, reached)}` : `before anything of ${log} was written`}`);
    this.reached = reached;
  }
}

export function isCopyInterrupted(error: unknown): error is CopyInterrupted {
  return error instanceof CopyInterrupted;
}

const REMEDIES: Readonly<Record<CopyRefusal, string>> = {
  OTHER_LOG:
    'A gateway that was started on the empty target has begun a log of its own there. Copy first, into a store that has never held this log, and then start the gateways on it.',
  TARGET_DIFFERS:
    'Gateways have written to both since one was copied to the other. Decide which of the two goes on, and copy that one into a store that has never held this log.',
  TARGET_AHEAD:
    'Nothing of the source is missing in the target. To bring to the source what only the target has, copy the other way round.',
  TARGET_WRITTEN:
    'No gateway may use the target before everything has been copied: stop those that do. What they wrote makes the target a log of its own; copy into a store that has never held this log.',
  SOURCE_OFFLINE:
    'A copy needs the whole log. Bring back what was moved: restore the streams of the sealed epochs from their backup, or, in an EventStoreDB that was not scavenged since, take $tb out of the metadata of the stream.',
  TARGET_OFFLINE:
    'What is not there cannot be compared. Bring it back, or copy into a store that has never held this log.',
};

/** Two commits of one version that are not the same. */
export function differing(log: LogName, source: StoredCommit, target: StoredCommit): CopyRefused {
  const { version, logId } = source.commit;
  if (logId !== target.commit.logId) {
    const ids = `the source is ${logId}, the target ${target.commit.logId}`;
    return new CopyRefused(CopyRefusal.OtherLog, version, `the target holds another log ${log}: ${ids}`);
  }
  const message = `source and target differ from ${formatPosition(log, version)} on`;
  return new CopyRefused(CopyRefusal.Differs, version, message);
}

/** The target has more than the source, which ends at `head`. */
export function ahead(log: LogName, head: number): CopyRefused {
  const ends = head === 0 ? `the source has no ${log}` : `the source ends at ${formatPosition(log, head)}`;
  return new CopyRefused(CopyRefusal.Ahead, head + 1, `${ends}, and the target goes on`);
}

/** What was to become `version` of the target could not, since somebody else wrote there. */
export function written(log: LogName, version: number, cause: unknown): CopyRefused {
  const message = `something else wrote ${formatPosition(log, version)} into the target while it was copied to`;
  return new CopyRefused(CopyRefusal.Written, version, message, cause);
}

export function offline(side: 'source' | 'target', log: LogName, readableAfter: number, cause: unknown): CopyRefused {
  const code = side === 'source' ? CopyRefusal.SourceOffline : CopyRefusal.TargetOffline;
  const first = formatPosition(log, readableAfter + 1);
  return new CopyRefused(code, readableAfter + 1, `what comes before ${first} was moved offline in the ${side}`, cause);
}
