import { pauseUnlessAborted, type Bus } from '../../bus/connect.ts';
import { BusError, ServerCode, hasServerCode, isBusAway } from '../../bus/errors.ts';
import { streamState, type Epoch } from '../../bus/logStreams.ts';
import { orderedMessages } from '../../bus/ordered.ts';
import { ChainWalk } from '../chain.ts';
import type { Epochs } from '../epochs.ts';
import { LogError, LogErrorCode } from '../errors.ts';
import type { LogName, StoredCommit } from '../port.ts';
import { bytesHoldSeal } from '../seal.ts';
import { unavailable } from '../unavailable.ts';

const READ_ATTEMPTS = 20;
const RETRY_MS = 250;

export interface Reading {
  readonly bus: Bus;
  readonly epochs: Epochs;
  readonly signal: AbortSignal;
}

/** The commits behind version `after` up to the head as it is now, through all epochs that hold them. */
export async function* read(reading: Reading, log: LogName, after: number): AsyncGenerator<StoredCommit> {
  const { epochs, signal } = reading;
  const head = await reaching(log, () => headOf(reading, log));
  const walk = new ChainWalk(log, after);
  while (walk.version < head && !signal.aborted) {
    const from = walk.version;
    const epoch = await reaching(log, () => epochs.holding(log, from + 1));
    const upTo = Math.min(head, epoch.end ?? head);
    const stretch = { epoch, from, upTo, attempts: READ_ATTEMPTS };
    for await (const { version, data } of stored(reading, log, stretch)) yield acceptAt(walk, log, version, data);
  }
}

/** The commits behind version `after` and those to come, through all epochs that there are and will be. */
export async function* follow(reading: Reading, log: LogName, after: number): AsyncGenerator<StoredCommit> {
  const { epochs, signal } = reading;
  const walk = new ChainWalk(log, after);
  epochs.forget(log);
  // Where the log does not reach `after` yet, what comes before it passes by unseen.
  let place = after;
  while (!signal.aborted) {
    const from = place;
    const epoch = await patiently(reading, log, () => epochs.after(log, from));
    if (epoch === null) {
      const head = await patiently(reading, log, () => headOf(reading, log));
      // It may have grown past that meanwhile.
      place = Math.min(from, head ?? from);
      continue;
    }
    if (epoch === undefined) return;
    for await (const { version, data } of stored(reading, log, { epoch, from, upTo: epoch.end })) {
      place = version;
      if (version > walk.version) yield acceptAt(walk, log, version, data);
      if (epoch.end === null && bytesHoldSeal(data)) break;
    }
  }
}

/** The head as it is now. What is remembered of the epochs is good for it as long as the newest is not sealed. */
async function headOf({ bus, epochs }: Reading, log: LogName): Promise<number> {
  for (let fresh = false; ; fresh = true) {
    const newest = (await epochs.all(log)).at(-1);
    if (newest === undefined) return 0;
    if (newest.end !== null) return newest.end;
    const state = await streamState(bus, newest.stream);
    if (state !== null && (fresh || !state.sealed)) return newest.base + state.lastSequence;
    epochs.forget(log);
  }
}

/** What one epoch holds behind version `from`, up to `upTo`, or without it for ever. */
async function* stored({ bus, epochs, signal }: Reading, log: LogName, stretch: Stretch): AsyncGenerator<Stored> {
  const { epoch, from, upTo, attempts } = stretch;
  const { stream, base } = epoch;
  const start = { kind: 'after', sequence: from - base } as const;
  const limits = { ...(upTo === null ? {} : { upTo: upTo - base }), ...(attempts === undefined ? {} : { attempts }) };
  let place = from;
  try {
    for await (const { sequence, data } of orderedMessages(bus, { stream, start, signal, ...limits })) {
      place = base + sequence;
      yield { version: place, data };
    }
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    if (hasServerCode(error, ServerCode.streamNotFound)) {
      // Moved offline while it was read, which this tells; or lost, which nobody knows more about.
      epochs.forget(log);
      await reaching(log, () => epochs.holding(log, place + 1));
    }
    throw unavailable(log, error);
  }
}

/** As often as it takes while the bus is away. Undefined at the signal; what waiting does not mend is thrown. */
async function patiently<Result>(
  { bus, signal }: Reading,
  log: LogName,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  while (!signal.aborted) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (!isBusAway(error) || bus.connection.isClosed()) throw unavailable(log, error);
    }
    await pauseUnlessAborted(RETRY_MS, signal);
  }
  return undefined;
}

interface Stored {
  readonly version: number;
  readonly data: Uint8Array;
}

interface Stretch {
  readonly epoch: Epoch;
  readonly from: number;
  readonly upTo: number | null;
  readonly attempts?: number;
}

function acceptAt(walk: ChainWalk, log: LogName, version: number, data: Uint8Array): StoredCommit {
  const accepted = walk.accept(data);
  if (accepted.commit.version === version) return accepted;
  throw new LogError(LogErrorCode.LogCorrupt, `${log}: commit ${accepted.commit.version} stands at version ${version}`);
}

async function reaching<Result>(log: LogName, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof BusError ? unavailable(log, error) : error;
  }
}
