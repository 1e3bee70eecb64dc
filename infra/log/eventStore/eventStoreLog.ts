import type { EventStore } from '../../eventStore/port.ts';
import { encodeCommit } from '../codec.ts';
import { LogError, LogErrorCode } from '../errors.ts';
import { follow, read } from './read.ts';
import { EventStoreWriter } from './write.ts';
import { assertAppendable, assertFits, checkedLog } from '../guards.ts';
import type { EventLog } from '../port.ts';

/**
 * The event log in EventStoreDB: one stream per log, one append per commit, one of its events for each of ours. The server
 * checks the revision behind which a commit goes, so racing writers are safe. A seal ends nothing there: to move history
 * offline is to truncate the stream before the event LogSealed. The store stays open when the log is closed.
 */
export function createEventStoreLog({ store }: { readonly store: EventStore }): EventLog {
  const writer = new EventStoreWriter(store);
  const closing = new AbortController();

  function assertOpen(): void {
    if (closing.signal.aborted) throw new LogError(LogErrorCode.LogUnavailable, 'this event log has been closed');
  }

  return {
    async append(log, expected, commit) {
      checkedLog(log);
      assertAppendable(expected, commit);
      assertOpen();
      const { bytes, hash } = encodeCommit(commit);
      assertFits(bytes);
      await writer.write({ log, expected, bytes, hash });
      return { hash };
    },

    async *read(log, after) {
      checkedLog(log);
      assertOpen();
      yield* read({ store, signal: closing.signal }, log, after);
      assertOpen();
    },

    async *follow(log, after, signal) {
      checkedLog(log);
      assertOpen();
      yield* follow({ store, signal: AbortSignal.any([signal, closing.signal]) }, log, after);
      if (!signal.aborted) assertOpen();
    },

    async close() {
      closing.abort();
    },
  };
}
