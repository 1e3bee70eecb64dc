import { eventIn, versionIn, type FeedEvent } from '../../infra/bus/feedEvent.ts';
import type { LogName } from '../../infra/log/port.ts';
import type { EventRow } from '../live/eventRows.ts';

/** An event of a feed as it is shown; null: a later version wrote it, whose gateways show it. */
export function feedRow(log: LogName, message: FeedEvent): EventRow | null {
  const { position, index } = message;
  const event = eventIn(message);
  const version = versionIn(log, position);
  return event === null || version === null ? null : { ...event, position, log, version, index };
}
