import type { ExecutionContext } from 'ava';
import type { Commit } from '../../domain/commit.ts';
import { jetStreamApi, objectIn, sequenceOf } from '../../infra/bus/api.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import { ServerCode, hasServerCode, isBusAway } from '../../infra/bus/errors.ts';
import { feedEventText } from '../../infra/bus/feedEvent.ts';
import { orderedMessages } from '../../infra/bus/ordered.ts';
import { feedStream } from '../../infra/names.ts';
import { collect } from './logs.ts';
import { until } from './until.ts';

/** What a consumer of a feed sees. */
export interface FeedRow {
  readonly sequence: number;
  readonly subject: string;
  readonly text: string;
}

/** The sequence at which a feed ends; 0 while there is none, or nobody answers. */
export async function feedEnd(bus: Bus, log: string): Promise<number> {
  try {
    const info = await jetStreamApi(bus, `STREAM.INFO.${feedStream(log)}`);
    return sequenceOf(objectIn(info, 'state'), 'last_seq');
  } catch (error) {
    if (hasServerCode(error, ServerCode.streamNotFound) || isBusAway(error)) return 0;
    throw error;
  }
}

export async function untilFeedReaches(bus: Bus, log: string, sequence: number): Promise<void> {
  await until(
    `sequence ${sequence} in the feed of ${log}`,
    () => feedEnd(bus, log),
    (end) => end >= sequence,
  );
}

/** What a consumer gets that goes on behind `sequence`, up to what is there now. */
export async function feedRows(bus: Bus, log: string, sequence = 0): Promise<readonly FeedRow[]> {
  const upTo = await feedEnd(bus, log);
  const start = { kind: 'after', sequence } as const;
  const signal = AbortSignal.timeout(20_000);
  const messages = await collect(orderedMessages(bus, { stream: feedStream(log), start, upTo, signal }));
  return messages.map(({ sequence: at, subject, data }) => ({
    sequence: at,
    subject,
    text: Buffer.from(data).toString(),
  }));
}

/** Waits until the feed has as many events as these commits, and holds it to beginning with exactly those, in order. */
export async function assertFeedHolds(
  t: ExecutionContext,
  bus: Bus,
  log: string,
  commits: readonly Commit[],
): Promise<readonly FeedRow[]> {
  const texts = commits.flatMap((commit) => commit.events.map((_, index) => feedEventText(log, commit, index)));
  await untilFeedReaches(bus, log, texts.length);
  const rows = await feedRows(bus, log);
  t.deepEqual(
    rows.slice(0, texts.length).map(({ sequence, text }) => `${sequence} ${text}`),
    texts.map((text, index) => `${index + 1} ${text}`),
  );
  return rows;
}
