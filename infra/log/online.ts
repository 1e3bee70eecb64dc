import { isHistoryOffline } from './errors.ts';
import type { EventLog, LogName, StoredCommit } from './port.ts';

/** The commits behind version `after`, or behind the history that was moved offline where that reaches further. */
export async function* readOnline(
  eventLog: Pick<EventLog, 'read'>,
  log: LogName,
  after: number,
): AsyncGenerator<StoredCommit> {
  try {
    yield* eventLog.read(log, after);
  } catch (error) {
    if (!isHistoryOffline(error)) throw error;
    yield* eventLog.read(log, error.readableAfter);
  }
}
