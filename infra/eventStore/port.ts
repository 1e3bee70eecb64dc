/** An event as it stands in a stream. What is not JSON has its bytes, or its text, as `data`. */
export interface StoredEvent {
  /** Counts from 0 in its stream, without gaps. */
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: unknown;
}

export interface NewEvent {
  /**
   * A UUID. EventStoreDB takes an append whose ids already stand behind the expected revision for written, without a look
   * at the content: the id must depend on all that the event holds.
   */
  readonly id: string;
  readonly type: string;
  readonly data: object;
  readonly metadata: object;
}

/** What a stream's own metadata takes away from it. */
export interface StreamLimits {
  readonly maxAgeSeconds?: number;
  readonly maxCount?: number;
  /** Events below this revision are not shown, and go with the next scavenging. */
  readonly truncateBefore?: number;
}

export interface ReadRange {
  /** A revision, which is included. */
  readonly from: number | 'start' | 'end';
  readonly direction: 'forwards' | 'backwards';
  /** How many events at most; without it, all there are. */
  readonly limit?: number;
}

/**
 * EventStoreDB, as far as Muster uses it. Everything rejects with StoreError. Reads and writes are answered by the cluster's
 * leader, so what one writer was told is written, everybody reads.
 */
export interface EventStore {
  /** The address without its password, to show. */
  readonly shownUrl: string;
  /** One question to the store, answered or not: whether it can be reached, and accepts the credentials. */
  check(): Promise<void>;
  /**
   * All or nothing, behind revision `expected` (null: the stream has no event). Resolves with the last revision once written.
   * Rejects with WrongRevision, and with STORE_AWAY when nobody knows whether it was written.
   */
  append(stream: string, expected: number | null, events: readonly NewEvent[]): Promise<number>;
  /** Ends at once when there is no such stream. */
  read(stream: string, range: ReadRange): AsyncIterable<StoredEvent>;
  /**
   * What stands behind revision `after` (null: from the start) and what comes, until `signal` aborts; also of a stream that
   * does not exist yet. A consumer that is slow slows the store down. Throws STORE_AWAY when it is lost: subscribe again.
   */
  subscribe(stream: string, after: number | null, signal: AbortSignal): AsyncIterable<StoredEvent>;
  limitsOf(stream: string): Promise<StreamLimits>;
  /** Sets what is given and leaves the rest of the stream's metadata as it is. */
  setLimits(stream: string, limits: StreamLimits): Promise<void>;
  /** Whether the last answer was one; false before the first. */
  isConnected(): boolean;
  /** Calls back at every loss and every return; the result ends it. */
  onChange(listener: (connected: boolean) => void): () => void;
  close(): Promise<void>;
}
