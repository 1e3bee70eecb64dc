import type { LogName } from '../log/port.ts';
import { BusError, BusErrorCode } from './errors.ts';
import type { Feed } from './feed.ts';
import { feedEvent, feedEventText, versionIn } from './feedEvent.ts';

/** What each log's feed holds: the bodies in order, and the sequence of the first. */
export type MemoryFeeds = Map<LogName, { readonly first: number; readonly texts: string[] }>;

/** A feed in memory, for tests and the simulation: stored at once, and only directly behind what stands there. */
export function createMemoryFeed(log: LogName, feeds: MemoryFeeds = new Map()): Feed {
  return {
    async end() {
      const feed = feeds.get(log);
      if (feed === undefined) return null;
      const text = feed.texts.at(-1);
      const sequence = feed.first + feed.texts.length - 1;
      if (text === undefined) return { sequence, last: null };
      const last = feedEvent.parse(JSON.parse(text));
      return { sequence, last: { ...last, version: versionIn(log, last.position) ?? 0 } };
    },
    async make(first) {
      if (!feeds.has(log)) feeds.set(log, { first, texts: [] });
    },
    open(sequence, onChange) {
      let sent = sequence;
      let broken: BusError | null = null;
      return {
        inFlight: 0,
        get broken() {
          return broken;
        },
        send(commit, index) {
          const feed = feeds.get(log);
          for (let at = index; at < commit.events.length && broken === null; at += 1) {
            if (feed === undefined || feed.first + feed.texts.length - 1 !== sent) {
              broken = new BusError(BusErrorCode.Contended, `the feed of ${log} ends elsewhere`);
            } else {
              feed.texts.push(feedEventText(log, commit, at));
              sent += 1;
            }
          }
          onChange();
        },
        close() {},
      };
    },
  };
}
