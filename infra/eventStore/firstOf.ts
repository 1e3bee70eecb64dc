import type { StoredEvent } from './port.ts';

/**
 * The first event of a read that is limited to few; null: there is none. It reads to the end, since leaving a call early
 * resets its stream, and servers close a connection on which that happens often.
 */
export async function firstOf(events: AsyncIterable<StoredEvent>): Promise<StoredEvent | null> {
  let first: StoredEvent | null = null;
  for await (const event of events) first ??= event;
  return first;
}
