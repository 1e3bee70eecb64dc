import { headers, type Msg } from 'nats';
import { apiAnswer, getMessage, sequenceOf, type StoredMessage } from '../bus/api.ts';
import type { Bus } from '../bus/connect.ts';
import { BusError, BusErrorCode, ServerCode, hasServerCode } from '../bus/errors.ts';
import { orderedMessages, type StreamMessage } from '../bus/ordered.ts';
import { ensureLogStream, untilLogAnswers } from '../bus/streams.ts';
import { logStream, logSubject } from '../names.ts';
import { createAckedPublisher } from './acks.ts';
import { ChainWalk } from './chain.ts';
import { encodeCommit, hashOf } from './codec.ts';
import { LogError, LogErrorCode } from './errors.ts';
import { COMMIT_BYTES_LIMIT, assertAppendable, assertFits, checkedLog } from './guards.ts';
import type { EventLog, LogName, StoredCommit } from './port.ts';

/** What a bus message needs besides the commit: its headers. */
const HEADER_BYTES = 512;
/** A cluster that lost its leader is silent for 4 to 8 s; less would make unknown outcomes of mere delays. */
const ACK_TIMEOUT_MS = 12_000;
const READ_ATTEMPTS = 20;
const EPOCH = 1;

export interface JetStreamLogOptions {
  /** Connected to the account LOG. It stays open when the log is closed. */
  readonly bus: Bus;
  /** Copies of every log on a cluster; a single server has 1. */
  readonly replicas?: number;
}

/**
 * The event log on NATS JetStream: one stream with one literal subject per log, one message per commit. The server checks
 * the expected version (`Nats-Expected-Last-Subject-Sequence`), so racing writers are safe; a commit's version is its
 * message's sequence. Streams are made at the first append or follow.
 */
export function createJetStreamLog({ bus, replicas = 1 }: JetStreamLogOptions): EventLog {
  const publisher = createAckedPublisher(bus, ACK_TIMEOUT_MS);
  const closing = new AbortController();
  const made = new Map<LogName, Promise<void>>();
  const writable = new Map<LogName, Promise<void>>();

  function once(known: Map<LogName, Promise<void>>, log: LogName, make: () => Promise<void>): Promise<void> {
    const underWay = known.get(log);
    if (underWay !== undefined) return underWay;
    const making = make().catch((error: unknown) => {
      known.delete(log);
      throw error instanceof LogError ? error : unavailable(log, error);
    });
    known.set(log, making);
    return making;
  }

  function ensureMade(log: LogName): Promise<void> {
    return once(made, log, () => ensureLogStream(bus, log, EPOCH, replicas));
  }

  function ensureWritable(log: LogName): Promise<void> {
    return once(writable, log, async () => {
      await ensureMade(log);
      await untilLogAnswers(bus, log);
    });
  }

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
      await ensureWritable(log);
      const expectation = headers();
      expectation.set('Nats-Expected-Last-Subject-Sequence', String(expected));
      const answer = await publisher.publish(logSubject(log), bytes, expectation);
      const sequence = await storedSequence(bus, log, expected, hash, answer);
      if (sequence !== commit.version) {
        throw new LogError(LogErrorCode.LogCorrupt, `${log}: commit ${commit.version} became message ${sequence}`);
      }
      return { hash };
    },

    async *read(log, after) {
      checkedLog(log);
      assertOpen();
      const head = await headOf(bus, log);
      const start = { kind: 'after', sequence: after } as const;
      const options = {
        stream: logStream(log, EPOCH),
        start,
        upTo: head,
        attempts: READ_ATTEMPTS,
        signal: closing.signal,
      };
      yield* commits(log, after, orderedMessages(bus, options));
      assertOpen();
    },

    async *follow(log, after, signal) {
      checkedLog(log);
      assertOpen();
      await ensureMade(log);
      const start = { kind: 'after', sequence: after } as const;
      const either = AbortSignal.any([signal, closing.signal]);
      yield* commits(log, after, orderedMessages(bus, { stream: logStream(log, EPOCH), start, signal: either }));
      if (!signal.aborted) assertOpen();
    },

    async close() {
      closing.abort();
      publisher.close();
    },
  };
}

async function* commits(
  log: LogName,
  after: number,
  messages: AsyncIterable<StreamMessage>,
): AsyncGenerator<StoredCommit> {
  const walk = new ChainWalk(log, after);
  try {
    for await (const { sequence, data } of messages) {
      const stored = walk.accept(data);
      if (sequence !== stored.commit.version) {
        throw new LogError(LogErrorCode.LogCorrupt, `${log}: commit ${stored.commit.version} is message ${sequence}`);
      }
      yield stored;
    }
  } catch (error) {
    throw error instanceof BusError ? unavailable(log, error) : error;
  }
}

/** The last version of a log; 0 when it is empty or has no stream yet. */
async function headOf(bus: Bus, log: LogName): Promise<number> {
  try {
    const last = await getMessage(bus, logStream(log, EPOCH), { last_by_subj: logSubject(log) });
    return last?.sequence ?? 0;
  } catch (error) {
    if (hasServerCode(error, ServerCode.streamNotFound)) return 0;
    throw unavailable(log, error);
  }
}

/** The sequence under which our commit stands, or the LogError that the answer means. */
async function storedSequence(bus: Bus, log: LogName, expected: number, hash: string, answer: Msg): Promise<number> {
  if (answer.headers?.code === 503) {
    throw unavailable(log, new BusError(BusErrorCode.JetStreamAway, 'JetStream does not answer'));
  }
  try {
    return sequenceOf(apiAnswer(answer.data, log), 'seq');
  } catch (error) {
    if (!hasServerCode(error, ServerCode.wrongLastSequence, ServerCode.wrongLastSequenceInFlight)) {
      throw unavailable(log, error);
    }
    return await afterConflict(bus, log, expected, hash, error);
  }
}

/**
 * The commit was refused because the log is elsewhere. It may have been our own commit that moved it, when an earlier
 * answer was lost; the leader tells what stands in its place. A cluster sometimes refuses while nothing has moved.
 */
async function afterConflict(bus: Bus, log: LogName, expected: number, hash: string, cause: unknown): Promise<number> {
  const standing = await standingAt(bus, log, expected + 1);
  if (standing !== null && hashOf(standing.data) === hash) return standing.sequence;
  if (standing === null && (await headOf(bus, log)) === expected) {
    throw new LogError(LogErrorCode.LogUnavailable, `${log}: refused though nothing has moved; try again`, cause);
  }
  throw new LogError(LogErrorCode.VersionConflict, `${log} is not at version ${expected}`, cause);
}

async function standingAt(bus: Bus, log: LogName, version: number): Promise<StoredMessage | null> {
  try {
    return await getMessage(bus, logStream(log, EPOCH), { seq: version });
  } catch (error) {
    throw new LogError(
      LogErrorCode.OutcomeUnknown,
      `${log}: a conflict, and the log cannot be read to settle it`,
      error,
    );
  }
}

/** Nothing was written; the sentence says what to do about it. */
function unavailable(log: LogName, cause: unknown): LogError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new LogError(
    LogErrorCode.LogUnavailable,
    `${log} cannot be reached or written: ${why}${remedy(cause)}`,
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
