import { feedStream } from '../names.ts';
import { objectIn, sequenceOf, streamInfo } from './api.ts';
import type { Bus } from './connect.ts';
import { directGetMany } from './directGet.ts';
import { feedEventIn } from './feed.ts';
import type { FeedEvent } from './feedEvent.ts';

/** One message of a feed with its place in the stream. */
export interface FeedMessage {
  readonly sequence: number;
  readonly message: FeedEvent;
}

/** `first` is the oldest that is kept, `last` the newest there is; both 0 while there is no feed. */
export interface FeedPart {
  readonly messages: readonly FeedMessage[];
  readonly first: number;
  readonly last: number;
}

export interface FeedRange {
  /** The sequence behind which it begins. */
  readonly after: number;
  readonly limit: number;
  /** Of messages with all that belongs to them; one is given even if it is longer. */
  readonly mostBytes: number;
}

/** What a feed holds behind a sequence, oldest first, as much as is asked for at most. Throws BusError. */
export async function readFeed(bus: Bus, log: string, { after, limit, mostBytes }: FeedRange): Promise<FeedPart> {
  const stream = feedStream(log);
  const info = await streamInfo(bus, stream);
  if (info === null) return { messages: [], first: 0, last: 0 };
  const state = objectIn(info, 'state');
  const [first, last] = [sequenceOf(state, 'first_seq'), sequenceOf(state, 'last_seq')];
  if (after >= last) return { messages: [], first, last };
  const found = await directGetMany(bus, stream, { seq: after + 1, batch: limit, max_bytes: mostBytes });
  const messages = found.map(({ sequence, data }) => ({ sequence, message: feedEventIn(stream, sequence, data) }));
  // More may have come since.
  return { messages, first, last: Math.max(last, messages.at(-1)?.sequence ?? 0) };
}
