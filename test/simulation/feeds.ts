import { BusError, BusErrorCode } from '../../infra/bus/errors.ts';
import type { Feed, FeedPipe } from '../../infra/bus/feed.ts';
import { feedEventText } from '../../infra/bus/feedEvent.ts';
import { createMemoryFeed, type MemoryFeeds } from '../../infra/bus/memoryFeed.ts';
import type { Clock } from '../../infra/clock.ts';
import type { LogName, StoredCommit } from '../../infra/log/port.ts';
import type { Faults } from './faults.ts';
import type { Random } from './random.ts';
import { LOGS, type Witness } from './witness.ts';

export interface FeedNetworkOptions {
  readonly feeds: MemoryFeeds;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: Faults;
  readonly isAway: () => boolean;
}

const LONGEST_MS = 20;

/** A feed at the other end of a network: a message that is lost, or whose answer is, breaks the pipe that it was in. */
export function networkFeed(log: LogName, { feeds, clock, random, faults, isAway }: FeedNetworkOptions): Feed {
  const inner = createMemoryFeed(log, feeds);
  const lost = (what: string) => new BusError(BusErrorCode.NoAnswer, what);

  async function travel(): Promise<void> {
    await clock.sleep(random.int(1, LONGEST_MS));
    if (isAway()) throw lost('the bus is away');
  }

  return {
    async end() {
      await travel();
      return await inner.end();
    },
    async make(first) {
      await travel();
      await inner.make(first);
    },
    open(sequence, onChange): FeedPipe {
      const pipe = inner.open(sequence, () => {});
      let broken: BusError | null = null;
      return {
        inFlight: 0,
        get broken() {
          return broken ?? pipe.broken;
        },
        send(commit, index) {
          if (isAway() || random.chance(faults['lost message'])) broken ??= lost('a message never arrived');
          if (broken === null) pipe.send(commit, index);
          if (random.chance(faults['lost ack'])) broken ??= lost('an answer was lost');
          onChange();
        },
        close: () => pipe.close(),
      };
    },
  };
}

/** Reads the feeds themselves: each must be what the log holds, event by event, in order and each once. */
export class FeedWatch {
  readonly #feeds: MemoryFeeds;
  readonly #read = new Map<LogName, number>();
  /** What each log's feed must hold from here on. */
  readonly #expected = new Map<LogName, { readonly texts: string[]; commits: number }>();

  constructor(feeds: MemoryFeeds) {
    this.#feeds = feeds;
  }

  /** Null, or where a feed says something else than its log. */
  wrong(witness: Witness): string | null {
    for (const log of LOGS) {
      const { texts } = this.#expect(log, witness.historyOf(log));
      const standing = this.#feeds.get(log)?.texts ?? [];
      for (let index = this.#read.get(log) ?? 0; index < standing.length; index += 1) {
        if (standing[index] !== texts[index])
          return `message ${index + 1} of the feed of ${log} is not event ${index + 1}`;
        this.#read.set(log, index + 1);
      }
    }
    return null;
  }

  /** Null, or how many events a feed lacks. */
  behind(witness: Witness): string | null {
    for (const log of LOGS) {
      const lacks = this.#expect(log, witness.historyOf(log)).texts.length - (this.#feeds.get(log)?.texts.length ?? 0);
      if (lacks > 0) return `the feed of ${log} lacks ${lacks} events`;
    }
    return null;
  }

  #expect(log: LogName, history: readonly StoredCommit[]): { readonly texts: readonly string[] } {
    const expected = this.#expected.get(log) ?? { texts: [], commits: 0 };
    this.#expected.set(log, expected);
    for (const { commit } of history.slice(expected.commits)) {
      for (let index = 0; index < commit.events.length; index += 1)
        expected.texts.push(feedEventText(log, commit, index));
    }
    expected.commits = history.length;
    return expected;
  }
}
