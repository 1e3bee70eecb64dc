/** What went wrong with EventStoreDB, as data: callers ask the predicates. */
export const StoreErrorCode = {
  /** The stream does not end at the expected revision; nothing was written. */
  WrongRevision: 'WRONG_REVISION',
  /** The store went away with a request under way: a write may have arrived, or not. */
  Away: 'STORE_AWAY',
  /** The store is away and nothing was sent. */
  NotSent: 'NOT_SENT',
  Denied: 'DENIED',
  NotLeader: 'NOT_LEADER',
  StreamDeleted: 'STREAM_DELETED',
  TooLarge: 'TOO_LARGE',
  Tls: 'TLS',
  Malformed: 'MALFORMED',
  Refused: 'REFUSED',
} as const;
export type StoreErrorCode = (typeof StoreErrorCode)[keyof typeof StoreErrorCode];

export class StoreError extends Error {
  override readonly name: string = 'StoreError';
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** An append behind a revision at which its stream does not end. */
export class WrongRevision extends StoreError {
  override readonly name = 'WrongRevision';
  /** The revision of the stream's last event; null: there is none. */
  readonly actual: number | null;
  constructor(stream: string, expected: number | null, actual: number | null, cause: unknown) {
    const place = (revision: number | null): string => (revision === null ? 'nothing' : `revision ${revision}`);
    super(StoreErrorCode.WrongRevision, `${stream} ends with ${place(actual)}, not with ${place(expected)}`, cause);
    this.actual = actual;
  }
}

export function isWrongRevision(error: unknown): error is WrongRevision {
  return error instanceof WrongRevision;
}

/** The store or its leader is away for the moment: what was asked may work later. */
export function isStoreAway(error: unknown): boolean {
  return hasCode(error, StoreErrorCode.Away, StoreErrorCode.NotSent, StoreErrorCode.NotLeader);
}

/** The connection was lost while a write was under way, or the store failed at it: nobody knows whether it was written. */
export function isWriteInDoubt(error: unknown): boolean {
  return hasCode(error, StoreErrorCode.Away, StoreErrorCode.Refused);
}

/** Waiting does not help: the credentials, the certificate or the connection string must be mended. */
export function isStoreMisconfigured(error: unknown): boolean {
  return hasCode(error, StoreErrorCode.Denied, StoreErrorCode.Tls, StoreErrorCode.Malformed);
}

export function isStreamDeleted(error: unknown): boolean {
  return hasCode(error, StoreErrorCode.StreamDeleted);
}

/** This one stream is deleted for good, or what stands there is not understood; others may be well. */
export function isStreamUnusable(error: unknown): boolean {
  return hasCode(error, StoreErrorCode.StreamDeleted, StoreErrorCode.Malformed);
}

export function isTooLarge(error: unknown): boolean {
  return hasCode(error, StoreErrorCode.TooLarge);
}

function hasCode(error: unknown, ...codes: readonly StoreErrorCode[]): boolean {
  return error instanceof StoreError && codes.includes(error.code);
}
