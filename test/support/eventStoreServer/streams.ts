import { ANY, DELETED, NO_STREAM, STREAM_EXISTS } from './numbers.ts';
import { RecentIds } from './recentIds.ts';
import {
  METADATA_OF_METADATA,
  parseStreamMetadata,
  recreatedMetadata,
  softDeletedMetadata,
  type StreamMetadata,
} from './streamMetadata.ts';

export interface ProposedEvent {
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface RecordedEvent extends ProposedEvent {
  readonly createdMs: number;
  /** Its place in the file; grows with every event of every stream. */
  readonly position: number;
}

/** Events of one stream from number `first` on; `first` DELETED is the one event that ends a stream for good. */
export interface Write {
  readonly stream: string;
  readonly first: number;
  readonly events: readonly ProposedEvent[];
}

export type Decision =
  | { readonly kind: 'write'; readonly writes: readonly Write[]; readonly last: number }
  | { readonly kind: 'written before'; readonly last: number; readonly position: number | null }
  /** The same events are being written right now: EventStoreDB drops the second request, which then times out. */
  | { readonly kind: 'being written' }
  | { readonly kind: 'wrong version'; readonly current: number }
  | { readonly kind: 'deleted' };

export type Page =
  | {
      readonly kind: 'events';
      readonly events: readonly NumberedEvent[];
      readonly next: number;
      readonly last: number;
      readonly isEnd: boolean;
    }
  | { readonly kind: 'no stream' }
  | { readonly kind: 'deleted' };

export interface NumberedEvent {
  readonly stream: string;
  readonly number: number;
  readonly event: RecordedEvent;
}

interface Stream {
  /** An event's number is its index: nothing is ever scavenged. */
  readonly events: RecordedEvent[];
  /** How many of them readers may see: those that are synced to the disk. */
  synced: number;
  tombstone: RecordedEvent | undefined;
  tombstoneIsSynced: boolean;
}

/** Writers decide on what is written, synced or not; readers see what is synced. */
type View = 'written' | 'synced';

const METADATA_TYPE = '$metadata';
const TOMBSTONE_TYPE = '$streamDeleted';
const NOTHING = new Uint8Array();

/** What EventStoreDB keeps and decides of streams, without a disk: versions, idempotency, deletions, limits. */
export class Streams {
  readonly #streams = new Map<string, Stream>();
  readonly #recentIds = new RecentIds();
  readonly #parsed = new WeakMap<RecordedEvent, StreamMetadata>();

  /** Whether these events may be written behind `expected`, and as what; changes nothing. After IndexWriter.CheckCommit. */
  decideAppend(name: string, expected: number, events: readonly ProposedEvent[]): Decision {
    const ids = events.map((event) => event.id);
    const check = this.#check(name, expected, ids);
    if (check.kind !== 'ok') return check;
    const current = this.#last(name, 'written');
    if (events.length === 0) return { kind: 'write', writes: [], last: current };
    const writes: Write[] = [{ stream: name, first: current + 1, events }];
    if (check.wasSoftDeleted) {
      const raw = this.#metadataEvent(name, 'written')?.data ?? NOTHING;
      writes.push(...this.#recreation(name, raw, current + 1, this.#last(metadataStreamOf(name), 'written')));
    }
    const described = describedBy(name);
    const last = events.at(-1);
    if (described !== null && last !== undefined && this.#isSoftDeleted(described, 'written')) {
      const from = this.#last(described, 'written') + 1;
      writes.push(...this.#recreation(described, last.data, from, current + events.length));
    }
    return { kind: 'write', writes, last: current + events.length };
  }

  /** A soft deletion is `$tb` at its maximum; a tombstone ends the name for good. `id` is that of the event written. */
  decideDeletion(name: string, expected: number, isForGood: boolean, id: string): Decision {
    const check = this.#check(name, expected, [id]);
    if (check.kind !== 'ok') return check;
    if (isForGood) {
      const event = { id, type: TOMBSTONE_TYPE, isJson: false, data: NOTHING, metadata: NOTHING };
      return { kind: 'write', writes: [{ stream: name, first: DELETED, events: [event] }], last: DELETED };
    }
    const lastMetadata = this.#last(metadataStreamOf(name), 'written');
    if (this.#last(name, 'written') < 0 && lastMetadata < 0) return { kind: 'wrong version', current: NO_STREAM };
    return {
      kind: 'write',
      writes: [metadataWrite(name, lastMetadata + 1, softDeletedMetadata(), id)],
      last: this.#last(name, 'written'),
    };
  }

  /** Takes decided events in, for writers only until `sync`. */
  write(write: Write, createdMs: number, position: number): void {
    const stream = this.#streamNamed(write.stream);
    for (const [index, event] of write.events.entries()) {
      const recorded = { ...event, createdMs, position: position + index };
      if (write.first === DELETED) stream.tombstone = recorded;
      else stream.events.push(recorded);
      this.#recentIds.add(event.id, write.stream, write.first === DELETED ? DELETED : write.first + index);
    }
  }

  /** Lets readers see what is written of this stream up to and with this write. */
  sync(write: Write): void {
    const stream = this.#streamNamed(write.stream);
    if (write.first === DELETED) stream.tombstoneIsSynced = true;
    else stream.synced = write.first + write.events.length;
  }

  /** After a restart: whatever is in the file is synced, and EventStoreDB's memory of recent ids is empty. */
  recover(write: Write, createdMs: number, position: number): void {
    this.write(write, createdMs, position);
    this.sync(write);
    this.#recentIds.clear();
  }

  /** Up to `limit` events from `from` on, or from the first that still counts. After IndexReader.ReadStreamEventsForward. */
  readForwards(name: string, from: number, limit: number, nowMs: number): Page {
    const start = this.#startOfRead(name);
    if (start.kind !== 'readable') return start;
    const { last, metadata, lowest } = start;
    if (from + limit - 1 < lowest) return { kind: 'events', events: [], next: lowest, last, isEnd: false };
    const events = this.#streamNamed(name).events;
    let number = Math.max(from, lowest);
    const oldest = oldestMs(metadata, nowMs);
    while (number <= last && (events[number]?.createdMs ?? 0) < oldest) number += 1;
    const end = Math.min(number + limit - 1, last);
    return { kind: 'events', events: this.#numbered(name, number, end), next: end + 1, last, isEnd: end >= last };
  }

  /** Up to `limit` events from `from` (null: the last) down. After IndexReader.ReadStreamEventsBackward. */
  readBackwards(name: string, from: number | null, limit: number, nowMs: number): Page {
    const start = this.#startOfRead(name);
    if (start.kind !== 'readable') return start;
    const { last, metadata, lowest } = start;
    const oldest = oldestMs(metadata, nowMs);
    const highest = Math.min(from ?? last, last);
    const end = Math.max(highest - limit + 1, lowest);
    const events = this.#numbered(name, end, highest)
      .filter(({ event }) => event.createdMs >= oldest)
      .toReversed();
    const isEnd = end <= lowest || events.at(-1)?.number !== end;
    return { kind: 'events', events, next: end - 1, last, isEnd };
  }

  /** What is synced from `from` on, whatever the stream's limits say: live subscribers get all that is written. */
  liveEvents(name: string, from: number, limit: number): readonly NumberedEvent[] {
    const stream = this.#streams.get(name);
    if (stream === undefined) return [];
    const events = this.#numbered(name, from, Math.min(from + limit, stream.synced) - 1);
    if (events.length > 0 || !stream.tombstoneIsSynced || stream.tombstone === undefined) return events;
    return [{ stream: name, number: DELETED, event: stream.tombstone }];
  }

  /** The number of the last event, -1 when there is none, DELETED behind a tombstone. */
  lastSynced(name: string): number {
    return this.#last(name, 'synced');
  }

  metadataOf(name: string): StreamMetadata {
    return this.#metadata(name, 'synced');
  }

  #check(
    name: string,
    expected: number,
    ids: readonly string[],
  ): Exclude<Decision, { kind: 'write' }> | { readonly kind: 'ok'; readonly wasSoftDeleted: boolean } {
    const current = this.#last(name, 'written');
    const wrong = { kind: 'wrong version', current } as const;
    const isSoftDeleted = this.#isSoftDeleted(name, 'written');
    if (current === DELETED) return { kind: 'deleted' };
    if (expected === STREAM_EXISTS) {
      if (isSoftDeleted) return { kind: 'deleted' };
      if (current < 0 && this.#last(metadataStreamOf(name), 'written') < 0) return wrong;
    }
    if (expected === ANY || expected === STREAM_EXISTS) {
      const places = ids.map((id) => this.#recentIds.numberOf(id, name));
      const [first] = places;
      if (first === undefined) return { kind: 'ok', wasSoftDeleted: isSoftDeleted };
      const last = places.at(-1);
      return places.includes(undefined) || last === undefined ? wrong : this.#writtenBefore(name, last);
    }
    if (expected > current) return wrong;
    if (expected === current) return { kind: 'ok', wasSoftDeleted: isSoftDeleted };
    const events = this.#streams.get(name)?.events ?? [];
    const isSame = (id: string, index: number): boolean => {
      const number = expected + 1 + index;
      return this.#recentIds.numberOf(id, name) === number || events[number]?.id === id;
    };
    const differing = ids.findIndex((id, index) => !isSame(id, index));
    if (ids.length > 0 && differing === -1) return this.#writtenBefore(name, expected + ids.length);
    const isNewStart = differing === 0 && expected === NO_STREAM && isSoftDeleted;
    return isNewStart ? { kind: 'ok', wasSoftDeleted: true } : wrong;
  }

  #writtenBefore(name: string, last: number): Decision & { kind: 'written before' | 'being written' } {
    if (this.#last(name, 'synced') < last) return { kind: 'being written' };
    // EventStoreDB finds the position by reading the event, which the stream's limits may have taken out of sight.
    const page = this.readForwards(name, last, 1, 0);
    const found = page.kind === 'events' ? page.events[0] : undefined;
    return { kind: 'written before', last, position: found?.number === last ? found.event.position : null };
  }

  #startOfRead(
    name: string,
  ):
    | { readonly kind: 'readable'; readonly last: number; readonly metadata: StreamMetadata; readonly lowest: number }
    | { readonly kind: 'no stream' | 'deleted' } {
    const last = this.#last(name, 'synced');
    const metadata = this.#metadata(name, 'synced');
    if (last === DELETED) return { kind: 'deleted' };
    if (last === NO_STREAM || metadata.truncateBefore === DELETED) return { kind: 'no stream' };
    const lowest = Math.max(
      0,
      metadata.maxCount === undefined ? 0 : last - metadata.maxCount + 1,
      metadata.truncateBefore ?? 0,
    );
    return { kind: 'readable', last, metadata, lowest };
  }

  #numbered(name: string, from: number, to: number): NumberedEvent[] {
    const events = this.#streams.get(name)?.events.slice(from, to + 1) ?? [];
    return events.map((event, index) => ({ stream: name, number: from + index, event }));
  }

  #last(name: string, view: View): number {
    const described = describedBy(name);
    if (described !== null && this.#last(described, view) === DELETED) return DELETED;
    const stream = this.#streams.get(name);
    if (stream === undefined) return NO_STREAM;
    const isTombstoned = view === 'written' ? stream.tombstone !== undefined : stream.tombstoneIsSynced;
    if (isTombstoned) return DELETED;
    return (view === 'written' ? stream.events.length : stream.synced) - 1;
  }

  #metadata(name: string, view: View): StreamMetadata {
    if (describedBy(name) !== null) return METADATA_OF_METADATA;
    const event = this.#metadataEvent(name, view);
    if (event === undefined) return {};
    const known = this.#parsed.get(event);
    if (known !== undefined) return known;
    const parsed = parseStreamMetadata(event.data);
    this.#parsed.set(event, parsed);
    return parsed;
  }

  #metadataEvent(name: string, view: View): RecordedEvent | undefined {
    const stream = this.#streams.get(metadataStreamOf(name));
    return view === 'written' ? stream?.events.at(-1) : stream?.events[stream.synced - 1];
  }

  #isSoftDeleted(name: string, view: View): boolean {
    return this.#metadata(name, view).truncateBefore === DELETED;
  }

  #recreation(name: string, raw: Uint8Array, from: number, lastMetadata: number): Write[] {
    const json = recreatedMetadata(raw, from);
    return json === null ? [] : [metadataWrite(name, lastMetadata + 1, json, crypto.randomUUID())];
  }

  #streamNamed(name: string): Stream {
    const known = this.#streams.get(name);
    if (known !== undefined) return known;
    const fresh: Stream = { events: [], synced: 0, tombstone: undefined, tombstoneIsSynced: false };
    this.#streams.set(name, fresh);
    return fresh;
  }
}

function metadataStreamOf(name: string): string {
  return `$$${name}`;
}

/** The stream whose metadata this one holds, or null. */
export function describedBy(name: string): string | null {
  return name.startsWith('$$') ? name.slice(2) : null;
}

function metadataWrite(name: string, first: number, data: Uint8Array, id: string): Write {
  const event = { id, type: METADATA_TYPE, isJson: true, data, metadata: NOTHING };
  return { stream: metadataStreamOf(name), first, events: [event] };
}

function oldestMs(metadata: StreamMetadata, nowMs: number): number {
  return metadata.maxAgeSeconds === undefined ? -Infinity : nowMs - metadata.maxAgeSeconds * 1_000;
}
