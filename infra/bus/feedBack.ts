import { feedStream, feedSubjects, feedSubjectsOf } from '../names.ts';
import { getMessage, objectIn, sequenceOf, streamInfo } from './api.ts';
import type { Bus } from './connect.ts';
import { directGetMany } from './directGet.ts';
import { feedEventIn } from './feed.ts';
import { versionIn } from './feedEvent.ts';
import type { FeedMessage } from './feedRead.ts';

export interface FeedBack {
  /** Newest first. */
  readonly messages: readonly FeedMessage[];
  /** Whether there is nothing older of this agent in the feed. */
  readonly atEnd: boolean;
}

interface BackRange {
  /** Only what stands before this sequence. */
  readonly before: number;
  readonly limit: number;
}

/** So many messages are read at a time, and so many places of the stream are looked through first. */
const BATCH = 256;
const WIDER = 4;
const MOST_BYTES = 1024 * 1024;

/**
 * What a feed holds of one agent before a sequence, newest first. A stream is read forwards only, so spans of it are read
 * from its end on, each four times as wide as the one behind it until they hold enough: what is older than what is asked
 * for is not touched, and where the agent's newest message is the server knows. Throws BusError.
 */
export async function readFeedBack(
  bus: Bus,
  log: string,
  agentId: string,
  { before, limit }: BackRange,
): Promise<FeedBack> {
  const stream = feedStream(log);
  const subjects = feedSubjectsOf(log, agentId);
  const info = await streamInfo(bus, stream);
  const newest = info === null ? null : await getMessage(bus, stream, { last_by_subj: subjects });
  if (info === null || newest === null) return { messages: [], atEnd: true };
  const first = sequenceOf(objectIn(info, 'state'), 'first_seq');
  const messages: FeedMessage[] = [];
  let end = Math.min(before, newest.sequence + 1);
  let span = BATCH;
  while (messages.length < limit && end > first) {
    const start = Math.max(first, end - span);
    const got = await directGetMany(bus, stream, { seq: start, batch: BATCH, max_bytes: MOST_BYTES }, subjects);
    const reached = got.at(-1)?.sequence ?? newest.sequence;
    if (reached < end - 1 && reached < newest.sequence) {
      // More stands there than one answer holds: nearer to the end, where the newest of it is.
      span = Math.max(1, Math.floor(span / WIDER));
      continue;
    }
    for (const { sequence, data } of got.toReversed()) {
      if (sequence < end) messages.push({ sequence, message: feedEventIn(stream, sequence, data) });
    }
    end = start;
    span *= WIDER;
  }
  return { messages: messages.slice(0, limit), atEnd: messages.length <= limit && end <= first };
}

/** The version of the log that a feed ends with; 0: it has nothing. Throws BusError. */
export async function feedEndsAt(bus: Bus, log: string): Promise<number> {
  const stream = feedStream(log);
  const newest =
    (await streamInfo(bus, stream)) && (await getMessage(bus, stream, { last_by_subj: feedSubjects(log) }));
  if (newest === null) return 0;
  return versionIn(log, feedEventIn(stream, newest.sequence, newest.data).position) ?? 0;
}

/** The oldest event that a feed still has. */
export interface FeedBegin {
  /** ISO 8601. */
  readonly occurredAt: string;
  /** Of its log. */
  readonly version: number;
  /** Whether it is the very first of its log: nothing is missing. */
  readonly isFirst: boolean;
}

/** Null: it has none. Throws BusError. */
export async function feedBegins(bus: Bus, log: string): Promise<FeedBegin | null> {
  const stream = feedStream(log);
  const info = await streamInfo(bus, stream);
  if (info === null) return null;
  const sequence = sequenceOf(objectIn(info, 'state'), 'first_seq');
  const oldest = await getMessage(bus, stream, { seq: sequence });
  if (oldest === null) return null;
  const { event, position, index } = feedEventIn(stream, sequence, oldest.data);
  const version = versionIn(log, position) ?? 0;
  return { occurredAt: event.occurredAt, version, isFirst: version === 1 && index === 0 };
}
