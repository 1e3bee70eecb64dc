import { formatPosition } from '../../../domain/commit.ts';
import { pauseUnlessAborted } from '../../bus/connect.ts';
import { isStoreAway } from '../../eventStore/errors.ts';
import type { EventStore, StoredEvent } from '../../eventStore/port.ts';
import { ChainWalk } from '../chain.ts';
import { HistoryOffline, LogError, LogErrorCode } from '../errors.ts';
import { bytesOfCommit, endsCommit, placeOf, type Place } from './shape.ts';
import { asLogError, endOfVersion, reachOf, readableAfter, streamOf } from './stream.ts';
import type { LogName, StoredCommit } from '../port.ts';

const RETRY_MS = 250;
/** A read goes on so long through an outage; a store that hangs takes longer to be noticed, and then it is enough. */
const READ_PATIENCE_MS = 5_000;

export interface Reading {
  readonly store: EventStore;
  readonly signal: AbortSignal;
}

/** The commits behind version `after` up to the head as it is now. */
export async function* read(reading: Reading, log: LogName, after: number): AsyncGenerator<StoredCommit> {
  const begin = await patiently(reading, log, READ_PATIENCE_MS, () => beginAt(reading.store, log, after));
  if (begin === undefined || begin.revision === null || begin.head === null) return;
  const walk = new Walk(log, after, begin.revision);
  const { head } = begin;
  let progressAt = performance.now();
  while (walk.revision < head && !reading.signal.aborted) {
    const before = walk.revision;
    const range = { from: walk.revision + 1, direction: 'forwards', limit: head - walk.revision } as const;
    try {
      yield* walk.over(reading.store.read(streamOf(log), range));
      if (walk.revision < head) throw shorter(log, walk);
    } catch (error) {
      if (walk.revision > before) progressAt = performance.now();
      if (!isStoreAway(error) || performance.now() - progressAt > READ_PATIENCE_MS) throw asLogError(log, error);
      await pauseUnlessAborted(RETRY_MS, reading.signal);
    }
  }
}

/** The commits behind version `after` and those to come. */
export async function* follow(reading: Reading, log: LogName, after: number): AsyncGenerator<StoredCommit> {
  const { store, signal } = reading;
  const begin = await patiently(reading, log, Infinity, () => beginAt(store, log, after));
  if (begin === undefined) return;
  // Where the log does not reach `after` yet, what comes before it passes by unseen.
  const walk = new Walk(log, after, begin.revision ?? begin.head ?? -1);
  while (!signal.aborted) {
    try {
      const from = walk.revision < 0 ? null : walk.revision;
      yield* walk.over(store.subscribe(streamOf(log), from, signal));
    } catch (error) {
      if (!isStoreAway(error)) throw asLogError(log, error);
      await pauseUnlessAborted(RETRY_MS, signal);
    }
  }
}

/** Where reading behind `after` begins: the revision before it, null when the log does not reach so far; and the log's last one. */
async function beginAt(store: EventStore, log: LogName, after: number) {
  const reach = await reachOf(store, log);
  if (reach === null) return { revision: after === 0 ? -1 : null, head: null };
  return { revision: await endOfVersion(store, log, after, reach), head: reach.last.revision };
}

/** A reader's way along a stream: puts commits together, whole ones only, and remembers the last whole one's place. */
class Walk {
  readonly #log: LogName;
  readonly #after: number;
  readonly #chain: ChainWalk;
  /** The last event of the last whole commit; -1 before the first. */
  revision: number;

  constructor(log: LogName, after: number, revision: number) {
    this.#log = log;
    this.#after = after;
    this.#chain = new ChainWalk(log, after);
    this.revision = revision;
  }

  get version(): number {
    return this.#chain.version;
  }

  async *over(events: AsyncIterable<StoredEvent>): AsyncGenerator<StoredCommit> {
    let gathered: StoredEvent[] = [];
    for await (const event of events) {
      const place = this.#naming(() => placeOf(event));
      this.#assertNext(place, gathered.length);
      gathered.push(event);
      if (!endsCommit(place)) continue;
      const commit = gathered;
      gathered = [];
      if (place.version > this.#after) yield this.#chain.accept(this.#naming(() => bytesOfCommit(commit)));
      this.revision = place.revision;
    }
  }

  /** Each event is the stream's next one, and the next one of its commit. */
  #assertNext(place: Place, gathered: number): void {
    const expected = this.revision + gathered + 1;
    if (place.revision !== expected) throw new HistoryOffline(this.#log, this.version + 1, readableAfter(place));
    if (place.index === gathered) return;
    throw this.#corrupt(`event ${place.index} of commit ${place.version} stands where event ${gathered} should`);
  }

  #naming<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw error instanceof LogError ? this.#corrupt(error.message, error) : error;
    }
  }

  #corrupt(what: string, cause?: unknown): LogError {
    return new LogError(LogErrorCode.LogCorrupt, `${formatPosition(this.#log, this.version + 1)}: ${what}`, cause);
  }
}

function shorter(log: LogName, { version }: Walk): LogError {
  const message = `the log ends behind version ${version}, in the middle of a commit or before what it had a moment ago`;
  return new LogError(LogErrorCode.LogCorrupt, `${formatPosition(log, version + 1)}: ${message}`);
}

/** For so long while the store is away. Undefined at the signal; what waiting does not mend is thrown. */
async function patiently<Result>(
  { signal }: Reading,
  log: LogName,
  patienceMs: number,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  const beganAt = performance.now();
  while (!signal.aborted) {
    try {
      return await work();
    } catch (error) {
      if (!isStoreAway(error) || performance.now() - beganAt > patienceMs) throw asLogError(log, error);
    }
    await pauseUnlessAborted(RETRY_MS, signal);
  }
  return undefined;
}
