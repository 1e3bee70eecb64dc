import type { Bus } from '../../bus/connect.ts';
import { createAckedPublisher } from '../acks.ts';
import { encodeCommit } from '../codec.ts';
import { Epochs } from '../epochs.ts';
import { LogError, LogErrorCode } from '../errors.ts';
import { COMMIT_BYTES_LIMIT, assertAppendable, assertFits, checkedLog } from '../guards.ts';
import { follow, read } from './read.ts';
import { continued, write } from './write.ts';
import type { EventLog } from '../port.ts';
import { holdsSeal } from '../seal.ts';

/** What a bus message needs besides the commit: its headers. */
const HEADER_BYTES = 512;
/** A cluster that lost its leader is silent for 4 to 8 s; less would make unknown outcomes of mere delays. */
const ACK_TIMEOUT_MS = 12_000;

export interface JetStreamLogOptions {
  /** Connected to the account LOG. It stays open when the log is closed. */
  readonly bus: Bus;
  /** Copies of every log on a cluster; a single server has 1. */
  readonly replicas?: number;
}

/**
 * The event log on NATS JetStream: one literal subject per log, one stream per epoch, one message per commit. The server
 * checks the expected version (`Nats-Expected-Last-Subject-Sequence`) and the epoch (`Nats-Expected-Stream`), so racing
 * writers are safe, one that still believes in an epoch that is over included. A commit's version is the base of its epoch
 * and the sequence of its message. Streams are made at the first append or follow.
 */
export function createJetStreamLog({ bus, replicas = 1 }: JetStreamLogOptions): EventLog {
  const publisher = createAckedPublisher(bus, ACK_TIMEOUT_MS);
  const epochs = new Epochs(bus, replicas);
  const closing = new AbortController();

  function assertOpen(): void {
    if (closing.signal.aborted) throw new LogError(LogErrorCode.LogUnavailable, 'this event log has been closed');
  }

  return {
    async append(log, expected, commit) {
      checkedLog(log);
      assertAppendable(expected, commit);
      assertOpen();
      const { bytes, hash } = encodeCommit(commit);
      assertFits(bytes, Math.min(COMMIT_BYTES_LIMIT, (bus.connection.info?.max_payload ?? Infinity) - HEADER_BYTES));
      await write({ bus, epochs, publisher }, { log, expected, bytes, hash });
      const seals = holdsSeal(commit);
      epochs.noteTail(log, { version: commit.version, seals });
      if (seals) await continued(epochs, log, commit.version);
      return { hash };
    },

    async *read(log, after) {
      checkedLog(log);
      assertOpen();
      yield* read({ bus, epochs, signal: closing.signal }, log, after);
      assertOpen();
    },

    async *follow(log, after, signal) {
      checkedLog(log);
      assertOpen();
      yield* follow({ bus, epochs, signal: AbortSignal.any([signal, closing.signal]) }, log, after);
      if (!signal.aborted) assertOpen();
    },

    async close() {
      closing.abort();
      publisher.close();
    },
  };
}
