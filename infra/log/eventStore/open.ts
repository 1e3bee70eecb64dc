import { pauseUnlessAborted } from '../../bus/connect.ts';
import { openEventStore } from '../../eventStore/client.ts';
import { hostsOf } from '../../eventStore/connectionString.ts';
import { StoreError, isStoreMisconfigured } from '../../eventStore/errors.ts';
import type { EventStore } from '../../eventStore/port.ts';
import { whyAway } from '../../eventStore/reasons.ts';
import { createEventStoreLog } from './eventStoreLog.ts';
import { asLogError, endOfVersion, reachOf, streamOf } from './stream.ts';
import { LogError, LogErrorCode } from '../errors.ts';
import type { OfflineWay, OpenedLog, Waiting } from '../openedLog.ts';
import type { LogName } from '../port.ts';

/** How often the store is asked whether it is there, also while nobody else asks it anything. */
const LOOK_EVERY_MS = 2_000;
const RETRY_MS = 500;
/** How soon, and how often, it is told that the store has not answered. */
const TELL_AFTER_MS = 2_000;
const TELL_EVERY_MS = 5_000;

/** The store answered, or cannot be asked, and waiting does not help: the message says what to mend. */
export class EventLogRefused extends Error {
  override readonly name = 'EventLogRefused';
  readonly code = 'EVENT_LOG_REFUSED';
}

export function isEventLogRefused(error: unknown): error is EventLogRefused {
  return error instanceof EventLogRefused;
}

interface Options {
  readonly url: string;
  readonly name: string;
}

/** The event logs in EventStoreDB, whose presence is watched from now until it is closed. */
export function openEventStoreLog({ url, name }: Options): OpenedLog {
  const store = dial({ url, name });
  const eventLog = createEventStoreLog({ store });
  const closing = new AbortController();
  let lastError: StoreError | null = null;
  void watch();

  async function watch(): Promise<void> {
    while (!closing.signal.aborted) {
      await look();
      await pauseUnlessAborted(LOOK_EVERY_MS, closing.signal);
    }
  }

  /** Null when the store answers. */
  async function look(): Promise<StoreError | null> {
    try {
      await store.check();
      return null;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      lastError = error;
      return error;
    }
  }

  // Whoever noticed the loss has its reason; what is said of an earlier one is over.
  store.onChange((connected) => {
    if (connected) lastError = null;
  });

  function away(): string | null {
    return store.isConnected() ? null : `the event store is away: ${whyAway(url, lastError)}`;
  }

  return {
    eventLog,
    shown: { store: 'EventStoreDB', at: hostsOf(url) },
    remedy: `If it stays so, see that EventStoreDB at ${hostsOf(url)} runs, has disk space, and has a leader`,
    ready: (waiting) => untilThere(look, url, waiting),
    away,
    onChange: (listener) => store.onChange(() => listener(away())),
    offline: (log, _, version) => offlineWay(store, log, version),
    async close() {
      closing.abort();
      await eventLog.close();
      await store.close();
    },
  };
}

function dial(options: Options): EventStore {
  try {
    return openEventStore(options);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new EventLogRefused(whyAway(options.url, error), { cause: error });
  }
}

/** Looks until the store answers, and says now and then why it does not. */
async function untilThere(
  look: () => Promise<StoreError | null>,
  url: string,
  { signal, onWait }: Waiting,
): Promise<void> {
  let why = whyAway(url, null);
  const tell = (): void => onWait(why);
  const soon = setTimeout(tell, TELL_AFTER_MS);
  const telling = setInterval(tell, TELL_EVERY_MS);
  const { promise: aborted, resolve: abort } = Promise.withResolvers<null>();
  const onAbort = (): void => abort(null);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for (let first = true; !signal.aborted; first = false) {
      const error = await Promise.race([look(), aborted]);
      clearTimeout(soon);
      if (signal.aborted) break;
      if (error === null) return;
      const before = why;
      why = whyAway(url, error);
      if (isStoreMisconfigured(error)) throw new EventLogRefused(why, { cause: error });
      if (first || why !== before) tell();
      await pauseUnlessAborted(RETRY_MS, signal);
    }
  } finally {
    clearTimeout(soon);
    clearInterval(telling);
    signal.removeEventListener('abort', onAbort);
  }
  throw new LogError(LogErrorCode.LogUnavailable, why);
}

/** A stream of EventStoreDB is cut before the event that ended the epoch: with that, it is never empty. */
async function offlineWay(store: EventStore, log: LogName, version: number): Promise<OfflineWay> {
  const stream = streamOf(log);
  try {
    const reach = await reachOf(store, log);
    const revision = reach === null ? null : await endOfVersion(store, log, version, reach);
    if (revision === null) throw new LogError(LogErrorCode.LogCorrupt, `${log} does not reach version ${version}`);
    return {
      stream,
      how: `set $tb of the stream ${stream} to ${revision} in its metadata, then scavenge EventStoreDB`,
    };
  } catch (error) {
    throw asLogError(log, error);
  }
}
