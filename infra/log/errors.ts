import { formatPosition } from '../../domain/commit.ts';

/** Why a log did not do what it was asked, as data: callers ask the predicates, never `instanceof` or messages. */
export const LogErrorCode = {
  VersionConflict: 'VERSION_CONFLICT',
  OutcomeUnknown: 'OUTCOME_UNKNOWN',
  LogUnavailable: 'LOG_UNAVAILABLE',
  CommitTooLarge: 'COMMIT_TOO_LARGE',
  LogCorrupt: 'LOG_CORRUPT',
  UnknownEvent: 'UNKNOWN_EVENT',
  InvalidCommit: 'INVALID_COMMIT',
  InvalidLogName: 'INVALID_LOG_NAME',
  HistoryOffline: 'HISTORY_OFFLINE',
} as const;
export type LogErrorCode = (typeof LogErrorCode)[keyof typeof LogErrorCode];

export class LogError extends Error {
  override readonly name: string = 'LogError';
  readonly code: LogErrorCode;
  constructor(code: LogErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** What was asked for stood in an epoch that was moved offline. Reading works from behind `readableAfter` on. */
export class HistoryOffline extends LogError {
  override readonly name = 'HistoryOffline';
  /** The version before the first one that is there. */
  readonly readableAfter: number;
  constructor(log: string, version: number, readableAfter: number) {
    const message =
      `${formatPosition(log, version)} was moved offline with its epoch; ` +
      `what is there begins at ${formatPosition(log, readableAfter + 1)}`;
    super(LogErrorCode.HistoryOffline, message);
    this.readableAfter = readableAfter;
  }
}

/** Somebody else's commit stands where ours should have gone. */
export function isVersionConflict(error: unknown): boolean {
  return hasCode(error, LogErrorCode.VersionConflict);
}

/** It cannot be told from the answer whether the commit was written; reading the log tells. */
export function isOutcomeUnknown(error: unknown): boolean {
  return hasCode(error, LogErrorCode.OutcomeUnknown);
}

/** Nothing was written and a later try may succeed. */
export function isLogUnavailable(error: unknown): boolean {
  return hasCode(error, LogErrorCode.LogUnavailable);
}

/** The log itself cannot be trusted or understood: stop writing and say where. */
export function isLogUnreadable(error: unknown): boolean {
  return hasCode(error, LogErrorCode.LogCorrupt) || hasCode(error, LogErrorCode.UnknownEvent);
}

/** What was asked for is not lost, but not here; `readableAfter` says behind which version reading works. */
export function isHistoryOffline(error: unknown): error is HistoryOffline {
  return error instanceof HistoryOffline;
}

function hasCode(error: unknown, code: LogErrorCode): boolean {
  return error instanceof LogError && error.code === code;
}
