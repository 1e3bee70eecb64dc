import type { Bus } from '../bus/connect.ts';
import type { EventLogPlace } from '../config.ts';
import { logStream } from '../names.ts';
import { createJetStreamLog } from './jetstream.ts';
import { openEventStoreLog } from './openEventStore.ts';
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

export interface OpenOptions {
  readonly place: EventLogPlace;
  /** Connected to the account LOG. It keeps the logs where no other store is named. */
  readonly bus: Bus;
  readonly replicas: number;
  /** How the connection calls itself in the store's own list. */
  readonly name: string;
}

/** The one place that chooses where the event logs are kept. Connects to nothing yet. */
export function openEventLog({ place, bus, replicas, name }: OpenOptions): OpenedLog {
  if (place.kind === 'eventStore') return openEventStoreLog({ url: place.url, name });
  const eventLog = createJetStreamLog({ bus, replicas });
  return {
    eventLog,
    shown: { store: 'NATS JetStream', at: bus.connection.getServer() },
    remedy: 'If it stays so, free disk space where nats-server keeps its store and restart it',
    ready: async () => {},
    away: () => null,
    onChange: () => () => {},
    offline: async (log, epoch) => {
      const stream = logStream(log, epoch);
      return { stream, how: `back the stream ${stream} up, then delete it` };
    },
    close: () => eventLog.close(),
  };
}
