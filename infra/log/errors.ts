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
} as const;
export type LogErrorCode = (typeof LogErrorCode)[keyof typeof LogErrorCode];

export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogErrorCode;
  constructor(code: LogErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
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

function hasCode(error: unknown, code: LogErrorCode): boolean {
  return error instanceof LogError && error.code === code;
}
