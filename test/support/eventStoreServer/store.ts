import { Journal, type Disk } from './journal.ts';
import type { Entry } from './journalCodec.ts';
import { NO_STREAM } from './numbers.ts';
import { Streams, type Decision, type Page, type NumberedEvent, type ProposedEvent, type Write } from './streams.ts';
import type { StreamMetadata } from './streamMetadata.ts';

/** `position` null: none to tell. `last` is -1 or DELETED where EventStoreDB says so. */
export type Outcome =
  | { readonly kind: 'written'; readonly last: number; readonly position: number | null }
  | { readonly kind: 'wrong version'; readonly current: number }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'timeout' };

export interface StoreOptions {
  readonly path: string;
  readonly disk: Disk;
  readonly now: () => number;
  /** The disk refused; the process must end. */
  readonly onFailure: (error: unknown) => void;
}

/** EventStoreDB's CommitTimeoutMs: a writer hears of a timeout, though the write may still come about. */
const COMMIT_TIMEOUT_MS = 2_000;

/** The streams, their file, and who waits for what. */
export class Store {
  readonly #streams = new Streams();
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #now: () => number;
  #journal: Journal | undefined;
  #appends = 0;

  private constructor(now: () => number) {
    this.#now = now;
  }

  static async open({ path, disk, now, onFailure }: StoreOptions): Promise<Store> {
    const store = new Store(now);
    const onEntry = ({ writes, createdMs }: Entry, position: number): void => {
      for (const write of writes) store.#streams.recover(write, createdMs, position);
    };
    store.#journal = await Journal.open(path, disk, onEntry, onFailure);
    return store;
  }

  get counts(): { readonly appends: number; readonly syncs: number; readonly subscriptions: number } {
    const subscriptions = [...this.#watchers.values()].reduce((sum, watchers) => sum + watchers.size, 0);
    return { appends: this.#appends, syncs: this.#journal?.syncs ?? 0, subscriptions };
  }

  append(stream: string, expected: number, events: readonly ProposedEvent[]): Promise<Outcome> {
    return this.#carryOut(this.#streams.decideAppend(stream, expected, events));
  }

  delete(stream: string, expected: number, isForGood: boolean): Promise<Outcome> {
    return this.#carryOut(this.#streams.decideDeletion(stream, expected, isForGood, crypto.randomUUID()));
  }

  readForwards(stream: string, from: number, limit: number): Page {
    return this.#streams.readForwards(stream, from, limit, this.#now());
  }

  readBackwards(stream: string, from: number | null, limit: number): Page {
    return this.#streams.readBackwards(stream, from, limit, this.#now());
  }

  liveEvents(stream: string, from: number, limit: number): readonly NumberedEvent[] {
    return this.#streams.liveEvents(stream, from, limit);
  }

  lastOf(stream: string): number {
    return this.#streams.lastSynced(stream);
  }

  metadataOf(stream: string): StreamMetadata {
    return this.#streams.metadataOf(stream);
  }

  /** Calls `onEvents` whenever there is more in the stream, until the answer is called. */
  watch(stream: string, onEvents: () => void): () => void {
    const watchers = this.#watchers.get(stream) ?? new Set();
    this.#watchers.set(stream, watchers.add(onEvents));
    return () => {
      watchers.delete(onEvents);
      if (watchers.size === 0 && this.#watchers.get(stream) === watchers) this.#watchers.delete(stream);
    };
  }

  async #carryOut(decision: Decision): Promise<Outcome> {
    switch (decision.kind) {
      case 'write':
        if (decision.writes.length === 0) return { kind: 'written', last: decision.last, position: null };
        return await this.#write(decision.writes, decision.last);
      case 'written before':
        return { kind: 'written', last: decision.last, position: decision.position };
      case 'being written':
        return await afterTimeout();
      case 'wrong version':
        return { kind: 'wrong version', current: Math.max(decision.current, NO_STREAM) };
      case 'deleted':
        return { kind: 'deleted' };
    }
  }

  async #write(writes: readonly Write[], last: number): Promise<Outcome> {
    const journal = this.#journal;
    if (journal === undefined) throw new Error('the store is not open');
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const timer = setTimeout(() => resolve({ kind: 'timeout' }), COMMIT_TIMEOUT_MS);
    const createdMs = this.#now();
    const position = journal.append({ createdMs, writes }, () => {
      clearTimeout(timer);
      for (const write of writes) this.#publish(write);
      this.#appends += 1;
      resolve({ kind: 'written', last, position });
    });
    for (const write of writes) this.#streams.write(write, createdMs, position);
    return await promise;
  }

  #publish(write: Write): void {
    this.#streams.sync(write);
    for (const onEvents of this.#watchers.get(write.stream) ?? []) onEvents();
  }
}

async function afterTimeout(): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  setTimeout(() => resolve({ kind: 'timeout' }), COMMIT_TIMEOUT_MS);
  return await promise;
}
