import { randomUUID } from 'node:crypto';
import {
  AccessDeniedError,
  BACKWARDS,
  CancelledError,
  DeadlineExceededError,
  END,
  EventStoreDBClient,
  FORWARDS,
  MaxAppendSizeExceededError,
  NO_STREAM,
  NotLeaderError,
  START,
  StreamDeletedError,
  StreamNotFoundError,
  TimeoutError,
  UnavailableError,
  WrongExpectedVersionError,
  convertToCommandError,
  jsonEvent,
  type JSONType,
  type ReadRevision,
  type ResolvedEvent,
  type StreamingRead,
} from '@eventstore/db-client';
import { StoreError, StoreErrorCode, WrongRevision, isStoreAway, isStoreMisconfigured } from './errors.ts';
import { firstOf } from './firstOf.ts';
import { limitsIn, metadataWith } from './limits.ts';
import type { EventStore, NewEvent, ReadRange, StoredEvent, StreamLimits } from './port.ts';
import { Presence } from './presence.ts';
import { shownUrl, withConnectionName } from './url.ts';

/** A write that the store does not answer for so long is in doubt; a read is given up. */
export const DEADLINE_MS = 10_000;
/** A stream that ends for good ends with this event, which subscribers are sent before the error. */
const TOMBSTONE = '$streamDeleted';
/** Reading it tells whether the store answers; nobody writes to it. */
const PROBE_STREAM = 'muster-probe';

export interface EventStoreOptions {
  /** A connection string: `esdb://user:password@host:2113?tls=true`. */
  readonly url: string;
  /** How this connection calls itself in the store's own list. */
  readonly name: string;
}

/**
 * Opens EventStoreDB without asking it anything yet. Once it was lost, nothing is sent any more until a probe has found it
 * again, so that what is refused meanwhile was surely not written. Throws StoreError MALFORMED at a wrong connection string.
 *
 * The one file that knows the client and its types, so that its successor can take over.
 */
export function openEventStore({ url, name }: EventStoreOptions): EventStore {
  return new Client(dial(withConnectionName(url, name), shownUrl(url)), shownUrl(url));
}

class Client implements EventStore {
  readonly shownUrl: string;
  readonly #client: EventStoreDBClient;
  readonly #closing = new AbortController();
  readonly #presence: Presence;

  constructor(client: EventStoreDBClient, shown: string) {
    this.#client = client;
    this.shownUrl = shown;
    this.#presence = new Presence(() => this.check(), this.#closing.signal);
  }

  async check(): Promise<void> {
    await firstOf(this.read(PROBE_STREAM, { from: 'start', direction: 'forwards', limit: 1 }));
  }

  async append(stream: string, expected: number | null, events: readonly NewEvent[]): Promise<number> {
    if (this.#presence.isAway) {
      throw new StoreError(StoreErrorCode.NotSent, `${this.shownUrl} is away; nothing was written to ${stream}`);
    }
    try {
      const { nextExpectedRevision } = await this.#client.appendToStream(stream, events.map(proposed), {
        expectedRevision: expected === null ? NO_STREAM : BigInt(expected),
        requiresLeader: true,
        deadline: DEADLINE_MS,
      });
      this.#presence.note('connected');
      return Number(nextExpectedRevision);
    } catch (error) {
      throw this.#failed(error, stream, expected);
    }
  }

  async *read(stream: string, { from, direction, limit }: ReadRange): AsyncGenerator<StoredEvent> {
    const events = this.#client.readStream(stream, {
      fromRevision: revisionOf(from),
      direction: direction === 'forwards' ? FORWARDS : BACKWARDS,
      requiresLeader: true,
      ...(limit === undefined ? {} : { maxCount: limit }),
    });
    try {
      for await (const resolved of inTime(events, stream)) {
        this.#presence.note('connected');
        const event = storedEvent(resolved);
        if (event !== null) yield event;
      }
      this.#presence.note('connected');
    } catch (error) {
      if (error instanceof StreamNotFoundError) this.#presence.note('connected');
      else throw this.#failed(error, stream);
    } finally {
      await leave(events);
    }
  }

  async *subscribe(stream: string, after: number | null, signal: AbortSignal): AsyncGenerator<StoredEvent> {
    const ending = AbortSignal.any([signal, this.#closing.signal]);
    if (ending.aborted) return;
    const subscription = this.#client.subscribeToStream(stream, {
      fromRevision: after === null ? START : BigInt(after),
      requiresLeader: true,
    });
    const stop = (): void => void subscription.destroy();
    ending.addEventListener('abort', stop, { once: true });
    subscription.once('confirmation', () => this.#presence.note('connected'));
    try {
      for await (const resolved of subscription) {
        const event = storedEvent(resolved);
        if (event?.type === TOMBSTONE) throw new StoreError(StoreErrorCode.StreamDeleted, `${stream} was deleted`);
        if (event !== null) yield event;
      }
      if (!ending.aborted) throw new StoreError(StoreErrorCode.Away, `the subscription to ${stream} ended`);
    } catch (error) {
      if (!ending.aborted) throw this.#failed(error, stream);
    } finally {
      ending.removeEventListener('abort', stop);
      // One that never began has nothing to end.
      await Promise.allSettled([subscription.unsubscribe()]);
    }
  }

  async limitsOf(stream: string): Promise<StreamLimits> {
    return limitsIn(await this.#metadataOf(stream));
  }

  async setLimits(stream: string, limits: StreamLimits): Promise<void> {
    const standing = await this.#metadataOf(stream);
    const event = { id: randomUUID(), type: '$metadata', data: metadataWith(standing, limits), metadata: {} };
    await this.append(metadataStream(stream), standing?.revision ?? null, [event]);
  }

  isConnected(): boolean {
    return this.#presence.isConnected;
  }

  onChange(listener: (connected: boolean) => void): () => void {
    return this.#presence.onChange(listener);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#client.dispose();
    if (!this.#presence.isNew) await closeConnection(this.#client);
  }

  async #metadataOf(stream: string): Promise<StoredEvent | null> {
    return await firstOf(this.read(metadataStream(stream), { from: 'end', direction: 'backwards', limit: 1 }));
  }

  /** The client's error as ours. What it tells of the connection is noted. */
  #failed(error: unknown, stream: string, expected: number | null = null): StoreError {
    const ours = translated(error, stream, expected);
    this.#presence.note(isStoreAway(ours) || isStoreMisconfigured(ours) ? 'away' : 'connected');
    return ours;
  }
}

/**
 * Ends a call that its reader has left, perhaps early. What it still holds must flow off: the client keeps every call whose
 * end it has not seen, and would wait for that when it is closed. A call that never began has nothing to end.
 */
async function leave(events: StreamingRead<ResolvedEvent>): Promise<void> {
  await Promise.allSettled([events.cancel()]);
  events.resume();
}

function metadataStream(stream: string): string {
  return `$$${stream}`;
}

/** A connection of the client's own, for what EventStore does not offer. Throws StoreError MALFORMED. */
export function dial(connectionString: string, shown: string): EventStoreDBClient {
  try {
    const client = EventStoreDBClient.connectionString(connectionString);
    // Its BatchAppend keeps what waits for answers in one map of the whole process: an error of one connection rejects the
    // appends of all others, and a late answer then throws where nobody can catch it. Without it, it calls Append.
    Object.defineProperty(client, 'supports', { value: async () => false });
    return client;
  } catch (error) {
    // Its own message repeats the string, password and all.
    const why =
      error instanceof Error && /certificate/i.test(error.message) ? error.message : 'it cannot be understood';
    throw new StoreError(StoreErrorCode.Malformed, `the connection string ${shown}: ${why}`);
  }
}

function proposed({ id, type, data, metadata }: NewEvent) {
  return jsonEvent({ id, type, data: asJson(data), metadata: asJson(metadata) });
}

/** Any object is JSON to the client, which only writes it out. */
function asJson(value: object): JSONType {
  return value as JSONType;
}

function revisionOf(from: ReadRange['from']): ReadRevision {
  if (from === 'start') return START;
  return from === 'end' ? END : BigInt(from);
}

/** Null: a link whose event is gone, which no stream that Muster reads holds. */
function storedEvent({ event }: ResolvedEvent): StoredEvent | null {
  if (event === undefined) return null;
  const { revision, id, type, data, metadata } = event;
  return { revision: Number(revision), id, type, data, metadata };
}

/** Throws STORE_AWAY when nothing comes for long: a store that hangs answers no read, and has no deadline. */
async function* inTime(events: StreamingRead<ResolvedEvent>, stream: string): AsyncGenerator<ResolvedEvent> {
  const iterator = events.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const next = await orAway(iterator.next(), stream);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Not awaited: behind a store that hangs it would hang as well.
    void iterator.return?.();
  }
}

async function orAway<Result>(result: Promise<Result>, stream: string): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const why = `nothing came of ${stream} for ${DEADLINE_MS} ms`;
  const timer = setTimeout(() => reject(new StoreError(StoreErrorCode.Away, why)), DEADLINE_MS);
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The client's error as ours; `stream` is what was asked for. */
export function translated(error: unknown, stream: string, expected: number | null = null): StoreError {
  if (error instanceof StoreError) return error;
  const cause = error instanceof Error ? convertToCommandError(error) : error;
  if (cause instanceof WrongExpectedVersionError) {
    const actual = typeof cause.actualVersion === 'bigint' ? Number(cause.actualVersion) : null;
    return new WrongRevision(stream, expected, actual, cause);
  }
  const words = cause instanceof Error ? cause.message : String(cause);
  return new StoreError(codeOf(cause, words), `${stream}: ${words}`, cause);
}

function codeOf(cause: unknown, words: string): StoreErrorCode {
  if (cause instanceof AccessDeniedError) return StoreErrorCode.Denied;
  if (cause instanceof NotLeaderError) return StoreErrorCode.NotLeader;
  if (cause instanceof StreamDeletedError) return StoreErrorCode.StreamDeleted;
  if (cause instanceof MaxAppendSizeExceededError) return StoreErrorCode.TooLarge;
  if (cause instanceof UnavailableError && TLS_WORDS.test(words)) return StoreErrorCode.Tls;
  if (NOT_SENT_WORDS.test(words)) return StoreErrorCode.NotSent;
  if (LOST_WORDS.test(words)) return StoreErrorCode.Away;
  const away = [UnavailableError, CancelledError, DeadlineExceededError, TimeoutError];
  return away.some((type) => cause instanceof type) ? StoreErrorCode.Away : StoreErrorCode.Refused;
}

/** As OpenSSL and Node say that a certificate or a handshake is wrong. */
const TLS_WORDS = /certificate|self.signed|unable to verify|EPROTO|wrong version number|secure TLS connection|altname/i;
/** As the transport says that there never was a connection, and discovery that there is no server to connect to. */
const NOT_SENT_WORDS = /No connection established|Name resolution failed|ECONNREFUSED|Failed to discover/;

/** As the transport says that the connection broke; it calls that an internal error. */
const LOST_WORDS = /RST_STREAM|Session closed|Connection dropped|ECONNRESET/;

/** The client has no way to close its connection; without, it would stay open until the process ends. */
export async function closeConnection(client: EventStoreDBClient): Promise<void> {
  const getChannel: unknown = Reflect.get(client, 'getChannel');
  if (typeof getChannel !== 'function') return;
  const channel: unknown = await Reflect.apply(getChannel, client, []);
  if (typeof channel === 'object' && channel !== null && 'close' in channel && typeof channel.close === 'function') {
    channel.close();
  }
}
