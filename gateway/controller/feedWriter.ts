import { formatPosition } from '../../domain/commit.ts';
import type { Feed, FeedLast, FeedPipe } from '../../infra/bus/feed.ts';
import { FEED_DAYS } from '../../infra/bus/streams.ts';
import { isoTime, type Clock } from '../../infra/clock.ts';
import { isHistoryOffline } from '../../infra/log/errors.ts';
import type { EventLog, LogName, StoredCommit } from '../../infra/log/port.ts';

export interface FeedWriterOptions {
  readonly log: LogName;
  readonly eventLog: EventLog;
  readonly feed: Feed;
  readonly clock: Clock;
  /** Told once per trouble; the writer goes on by itself. */
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

/** Commits that wait to be written; with one more they are all forgotten, since the log has them. */
export const QUEUED_COMMITS = 256;
/** Events on their way, at most one commit more. */
const WINDOW_EVENTS = 2048;
const COMMIT_MOST_EVENTS = 256;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
const MS_PER_DAY = 86_400_000;

/**
 * Writes the events of one log into its feed, in order and each once, for as long as its gateway leads the log. What the
 * feed ends with says where to go on, and the log has everything, so nothing is remembered and nothing can be lost: after
 * every trouble (an answer that did not come, another writer, a queue that ran over) it looks where the feed ends and reads
 * the log from there. Two writers at once do no harm: whoever comes second is refused, and finds the same events written.
 */
export class FeedWriter {
  readonly #options: FeedWriterOptions;
  readonly #stop = new AbortController();
  readonly #queue: StoredCommit[] = [];
  readonly #running: Promise<void>;
  /** The version to write next, and how many of its events are written already. */
  #next = 1;
  #written = 0;
  #pause = FIRST_PAUSE_MS;
  #told = '';
  #wake: () => void = () => {};
  #changed = false;

  /** Begins to write at once. */
  constructor(options: FeedWriterOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** To be called with every commit of the log once it is acknowledged, in order. Costs nothing but a place in a queue. */
  commit(stored: StoredCommit): void {
    if (this.#queue.length >= QUEUED_COMMITS) this.#queue.length = 0;
    this.#queue.push(stored);
    this.#wakeUp();
  }

  /** Leaves what is not written to the next writer. Never rejects. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wakeUp();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log, onTrouble } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#writeOn();
      } catch (error) {
        const sentence = `the feed of ${log} is behind: ${error instanceof Error ? error.message : String(error)}`;
        if (this.#told !== sentence && !this.#stop.signal.aborted) onTrouble(sentence, error);
        this.#told = sentence;
      }
      await clock.sleep(this.#pause, this.#stop.signal);
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
    }
  }

  /** Goes on where the feed ends, first out of the log, then with what comes, until it is stopped or something breaks. */
  async #writeOn(): Promise<void> {
    const { sequence, last } = await this.#end();
    const pipe = this.#options.feed.open(sequence, () => {
      if (pipe.broken === null) this.#goesWell();
      this.#wakeUp();
    });
    try {
      await this.#writeLog(pipe, last);
      while (!this.#stop.signal.aborted) {
        const queued = this.#takeQueued();
        if (queued !== null) await this.#write(pipe, queued);
        else if (this.#queue.length > 0) await this.#writeMissed(pipe);
        else await this.#something(pipe);
      }
    } finally {
      pipe.close();
    }
  }

  /** Where the feed ends; a new one is made when there is none. Its sequences are never below those of one before it. */
  async #end(): Promise<{ readonly sequence: number; readonly last: FeedLast | null }> {
    const { feed } = this.#options;
    const end = await feed.end();
    if (end !== null && end.last !== null) {
      this.#next = end.last.version;
      this.#written = end.last.index + 1;
      return end;
    }
    const after = await this.#tooOldUpTo();
    this.#next = after + 1;
    this.#written = 0;
    if (end !== null) return end;
    const firstSequence = after * COMMIT_MOST_EVENTS + 1;
    await feed.make(firstSequence);
    return { sequence: firstSequence - 1, last: null };
  }

  /** The last version that is too old for the feed, 0 when none is. Found by halving: a log is in the order of time. */
  async #tooOldUpTo(): Promise<number> {
    const youngest = isoTime(this.#options.clock.now() - FEED_DAYS * MS_PER_DAY);
    let old = 0;
    let fresh = 1;
    while (await this.#isOlder(fresh, youngest)) {
      old = fresh;
      fresh *= 2;
    }
    while (fresh - old > 1) {
      const middle = Math.floor((old + fresh) / 2);
      if (await this.#isOlder(middle, youngest)) old = middle;
      else fresh = middle;
    }
    return old;
  }

  /** Whether there is such a version and it is from before `time`. What was moved offline counts as old. */
  async #isOlder(version: number, time: string): Promise<boolean> {
    const { log, eventLog } = this.#options;
    try {
      for await (const { commit } of eventLog.read(log, version - 1)) return commit.at < time;
      return false;
    } catch (error) {
      if (isHistoryOffline(error)) return true;
      throw error;
    }
  }

  /** Writes what the log holds from `#next` on. `last`: what the feed ends with, which must be in the log just so. */
  async #writeLog(pipe: FeedPipe, last: FeedLast | null): Promise<void> {
    const { log, eventLog, onTrouble } = this.#options;
    let before = last;
    const from = this.#next;
    try {
      for await (const stored of eventLog.read(log, from - 1)) {
        if (this.#stop.signal.aborted) return;
        if (before !== null) assertHolds(log, stored, before);
        before = null;
        await this.#write(pipe, stored);
      }
    } catch (error) {
      if (!isHistoryOffline(error)) throw error;
      const whole = before !== null && before.index + 1 === before.count && error.readableAfter === from;
      if (!whole) onTrouble(`the feed of ${log} has a gap: ${error.message}`, error);
      this.#next = error.readableAfter + 1;
      this.#written = 0;
      return await this.#writeLog(pipe, null);
    }
    if (before !== null) throw differs(log, before);
  }

  /** The queue goes on behind what comes next: it ran over, and the log has what was in it. */
  async #writeMissed(pipe: FeedPipe): Promise<void> {
    const from = this.#next;
    await this.#writeLog(pipe, null);
    if (this.#next > from || this.#stop.signal.aborted) return;
    throw new Error(`${formatPosition(this.#options.log, from)} was acknowledged, but is not in the log`);
  }

  /** Waits for room, then sends what is left of a commit. */
  async #write(pipe: FeedPipe, { commit }: StoredCommit): Promise<void> {
    while (pipe.inFlight >= WINDOW_EVENTS && !this.#stop.signal.aborted) await this.#something(pipe);
    if (this.#stop.signal.aborted) return;
    pipe.send(commit, this.#written);
    this.#next = commit.version + 1;
    this.#written = 0;
  }

  /** The next commit when it waits in the queue. Those that are written already are dropped; null: none, or not the next. */
  #takeQueued(): StoredCommit | null {
    for (;;) {
      const version = this.#queue[0]?.commit.version;
      if (version === undefined || version > this.#next) return null;
      const stored = this.#queue.shift();
      if (stored !== undefined && version === this.#next) return stored;
    }
  }

  /** Resolves when something was stored, a commit came or the writer stops. Throws when the pipe is broken. */
  async #something(pipe: FeedPipe): Promise<void> {
    if (pipe.broken !== null) throw pipe.broken;
    if (pipe.inFlight === 0) this.#goesWell();
    if (!this.#changed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    this.#changed = false;
    await this.#options.clock.afterOthers();
  }

  #goesWell(): void {
    this.#told = '';
    this.#pause = FIRST_PAUSE_MS;
  }

  #wakeUp(): void {
    this.#changed = true;
    this.#wake();
  }
}

/** What the feed ends with must stand in the log as well: otherwise it is the feed of another log, or of another past. */
function assertHolds(log: LogName, { commit }: StoredCommit, last: FeedLast): void {
  const same = commit.logId === last.logId && commit.version === last.version;
  if (!same || commit.events[last.index]?.id !== last.event.id) throw differs(log, last);
}

function differs(log: LogName, { position }: FeedLast): Error {
  return new Error(
    `it ends with an event at ${position} that ${log} does not hold (another log, or a backup of it); ` +
      'nothing is written behind it. To have the feed written anew, delete its stream',
  );
}
