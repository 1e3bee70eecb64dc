import type { EventLog, LogName } from './port.ts';

/** The event logs in the store that the configuration names, and what is to know of that store. */
export interface OpenedLog {
  readonly eventLog: EventLog;
  /** Where the logs are kept, to show: without user or password. */
  readonly shown: ShownPlace;
  /** What an operator looks after when a log does not answer for long, as a sentence without its full stop. */
  readonly remedy: string;
  /**
   * Resolves once the store answers. While it may still come, `onWait` is told why it does not, again and again. Rejects with
   * EventLogRefused when waiting does not help, and with LogError LOG_UNAVAILABLE when `signal` aborts.
   */
  ready(waiting: Waiting): Promise<void>;
  /** Why the store cannot be used now, and what to do; null while it can, or while it is the bus, which others watch. */
  away(): string | null;
  /** Calls back with what `away()` says, at every change; the result ends it. */
  onChange(listener: (away: string | null) => void): () => void;
  /** What an operator does to move an epoch offline that has ended at `version`. Rejects with LogError. */
  offline(log: LogName, epoch: number, version: number): Promise<OfflineWay>;
  /** Closes the log and its way to the store; the bus stays open. */
  close(): Promise<void>;
}

export interface ShownPlace {
  readonly store: 'NATS JetStream' | 'EventStoreDB';
  readonly at: string;
}

export interface Waiting {
  readonly signal: AbortSignal;
  readonly onWait: (why: string) => void;
}

export interface OfflineWay {
  /** The store's own stream that holds the epoch. */
  readonly stream: string;
  /** What to do with it, as the end of a sentence. */
  readonly how: string;
}
