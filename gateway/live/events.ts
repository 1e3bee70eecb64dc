import type { EventLog } from '../../infra/log/port.ts';
import { eventRows } from './eventRows.ts';
import type { LiveStream } from './stream.ts';

/**
 * Streams a log's events after a version, then each as it is committed, until the client has gone. It waits for a slow
 * client, so that nothing collects in memory: the log keeps it meanwhile.
 */
export async function streamEvents(eventLog: EventLog, log: string, after: number, stream: LiveStream): Promise<void> {
  for await (const stored of eventLog.follow(log, after, stream.ended)) {
    for (const row of eventRows(log, stored)) {
      if (!stream.send('event', JSON.stringify(row), row.position)) await stream.whenDrained();
      if (stream.ended.aborted) return;
    }
  }
}
