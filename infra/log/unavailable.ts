import { BusError, BusErrorCode, ServerCode, hasServerCode } from '../bus/errors.ts';
import { StoreError, StoreErrorCode } from '../eventStore/errors.ts';
import { inShort } from '../eventStore/reasons.ts';
import { LogError, LogErrorCode } from './errors.ts';

/** Nothing was written to `what`, for a reason that bus or store gave; the sentence says what to do about it. */
export function unavailable(what: string, cause: unknown): LogError {
  const said = cause instanceof Error ? cause.message : String(cause);
  const why = cause instanceof StoreError ? inShort(said) : said;
  return new LogError(
    LogErrorCode.LogUnavailable,
    `${what} cannot be reached or written: ${why}${remedy(cause)}`,
    cause,
  );
}

function remedy(cause: unknown): string {
  if (cause instanceof StoreError) return ofTheStore(cause.code);
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

function ofTheStore(code: StoreErrorCode): string {
  switch (code) {
    case StoreErrorCode.Away:
    case StoreErrorCode.NotSent:
      return '. Try again once EventStoreDB is back; if it runs, see whether it speaks TLS as MUSTER_EVENT_LOG says.';
    case StoreErrorCode.NotLeader:
      return '. The cluster has another leader; trying again finds it.';
    case StoreErrorCode.Denied:
      return '. Mend user and password in MUSTER_EVENT_LOG, or the rights of that user on the stream.';
    case StoreErrorCode.Tls:
      return '. Mend the certificate of EventStoreDB, or name its authority in MUSTER_EVENT_LOG (tlsCAFile=…).';
    case StoreErrorCode.WrongRevision:
    case StoreErrorCode.StreamDeleted:
    case StoreErrorCode.TooLarge:
    case StoreErrorCode.Malformed:
    case StoreErrorCode.Refused:
      return '';
  }
}
