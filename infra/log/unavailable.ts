import { BusError, BusErrorCode, ServerCode, hasServerCode } from '../bus/errors.ts';
import { LogError, LogErrorCode } from './errors.ts';

/** Nothing was written to `what`, for a reason that the bus gave; the sentence says what to do about it. */
export function unavailable(what: string, cause: unknown): LogError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new LogError(
    LogErrorCode.LogUnavailable,
    `${what} cannot be reached or written: ${why}${remedy(cause)}`,
    cause,
  );
}

function remedy(cause: unknown): string {
  const { insufficientResources, insufficientStorage, storeFailed } = ServerCode;
  const outOfDisk = hasServerCode(cause, insufficientResources, insufficientStorage, storeFailed);
  if (outOfDisk) return '. Free disk space where nats-server keeps its store, then restart nats-server.';
  const code = cause instanceof BusError ? cause.code : null;
  // A cluster that chooses a leader, and one server that stopped for want of disk, look the same from here.
  if (code === BusErrorCode.JetStreamAway) {
    return '. Try again in some seconds; if it stays so, free disk space where nats-server keeps its store and restart it.';
  }
  const away = code === BusErrorCode.Disconnected || code === BusErrorCode.NoAnswer;
  return away ? '. Try again once the bus is back.' : '';
}
