import type { Logger } from 'pino';
import type { CheckInMark } from '../../infra/bus/checkInMark.ts';
import { checkInsBehind } from '../../infra/bus/checkInsBehind.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import type { Clock } from '../../infra/clock.ts';
import { isStreamUnusable, isWrongRevision } from '../../infra/eventStore/errors.ts';
import type { EventStore } from '../../infra/eventStore/port.ts';
import { CHECKINS_RECORDED, endOf, recordedEvent, type RecordedEnd } from '../../infra/eventStore/recordedCheckIns.ts';
import { AgentStreams } from './agentStreams.ts';
import { Gathered } from './gathered.ts';

/** `missed`: had left the bus before. `left_out`: their stream or the store does not take them. */
export type RecordingResult = 'recorded' | 'missed' | 'left_out';

export interface RecorderOptions {
  /** Account APP. */
  readonly bus: Bus;
  /** A connection of its own, so that no decision waits behind a check-in. */
  readonly store: EventStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Check-ins of others are left out, so that nobody makes streams by inventing agents. */
  readonly isKnown: (agentId: string) => boolean;
  /** Asked again and again: the gateway that leads records. */
  readonly isLeading: () => boolean;
  readonly count: (result: RecordingResult, checkIns: number) => void;
  /** So much is held at a time, in bytes. */
  readonly mostBytes?: number;
}

/** What an agent says in this time goes into one append. */
const EVERY_MS = 60_000;
const LOOK_MS = 1_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const MOST_BYTES = 64 * 1024 ** 2;
const AGENTS_AT_ONCE = 8;
/** So many messages are taken from the bus before everything else gets its turn. */
const TURN = 64;
/** Agents that were spoken of because something of theirs is left out; more of them say no more. */
const MOST_NAMED = 100;

/**
 * Records in EventStoreDB what agents say: reads the check-ins that stand on the bus, once a minute, and appends to the stream
 * of each agent what it said since. Nothing has to be remembered: what the streams end with tells what is recorded, and one
 * small stream from where to read on. While the store is away nothing is read either, so memory has a bound; the bus keeps
 * the check-ins for 7 days.
 */
export class CheckInRecorder {
  readonly #options: RecorderOptions;
  readonly #streams: AgentStreams;
  readonly #named = new Set<string>();
  /** Where the stream ends that says up to where all is recorded; null: look. */
  #end: RecordedEnd | null = null;
  /** All that was received up to this time (ms) is recorded; null while another gateway leads. */
  #upToMs: number | null = null;

  constructor(options: RecorderOptions) {
    this.#options = options;
    const { store, clock, count } = options;
    this.#streams = new AgentStreams({
      store,
      clock,
      onRecorded: (checkIns) => count('recorded', checkIns),
      onTooLarge: (agentId) => this.#leftOut(agentId, 1, 'a check-in is larger than the event store takes'),
    });
  }

  /** How far the record is behind what agents say; 0 while another gateway leads. */
  get lagSeconds(): number {
    return this.#upToMs === null ? 0 : Math.max(0, this.#options.clock.now() - this.#upToMs) / 1000;
  }

  /** Passes until the signal aborts. Trouble is logged once until it is over, and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { bus, isLeading } = this.#options;
    let pause: number | null = null;
    while (!signal.aborted) {
      if (!isLeading()) this.#rest();
      else if (bus.isConnected()) pause = await this.#tryPass(pause, signal);
      await this.#wait(pause, signal);
    }
  }

  /** Records what is not recorded yet. Throws BusError and StoreError; what is recorded by then stays so. */
  async pass(signal: AbortSignal): Promise<void> {
    const { bus, clock, store, mostBytes = MOST_BYTES } = this.#options;
    const startedAt = clock.now();
    this.#upToMs ??= startedAt;
    this.#end ??= await endOf(store, CHECKINS_RECORDED, null);
    const { mark } = this.#end;
    if (mark !== null) this.#upToMs = Date.parse(mark.receivedAt);
    const gathered = new Gathered(mostBytes);
    let read = 0;
    for await (const message of checkInsBehind(bus, { mark, signal })) {
      gathered.add(message);
      if (gathered.isFull && !(await this.#record(gathered, signal))) return;
      read += 1;
      if (read % TURN === 0) await clock.afterOthers();
    }
    if (await this.#record(gathered, signal)) this.#upToMs = startedAt;
  }

  /** Resolves with the pause until the next try after a failure, in ms; null when there was none. */
  async #tryPass(pause: number | null, signal: AbortSignal): Promise<number | null> {
    const { bus, log } = this.#options;
    try {
      await this.pass(signal);
      if (pause !== null) log.info('check-ins are recorded in the event store again');
      return null;
    } catch (error) {
      this.#end = null;
      // Others tell that the bus is away.
      if (signal.aborted || !bus.isConnected()) return pause;
      const what = 'check-ins cannot be recorded in the event store for now; the bus keeps them, and it is tried again';
      if (pause === null) log.warn({ err: error }, what);
      return pause === null ? FIRST_PAUSE_MS : Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }

  /** Until the next pass: a minute, or a pause that the store's return ends; a look at a time while another gateway leads. */
  async #wait(pause: number | null, signal: AbortSignal): Promise<void> {
    const { clock, isLeading, store } = this.#options;
    const wasAway = pause !== null && !store.isConnected();
    const looks = isLeading() ? (pause ?? EVERY_MS) / LOOK_MS : 1;
    for (let look = 0; look < looks && !signal.aborted; look += 1) {
      await clock.sleep(LOOK_MS, signal);
      if (!isLeading() || (wasAway && store.isConnected())) return;
    }
  }

  /** Another gateway records. What was known is so no more. */
  #rest(): void {
    this.#end = null;
    this.#upToMs = null;
    this.#streams.forget();
  }

  /** Records all that was gathered and tells so; false when this gateway is to go no further. */
  async #record(gathered: Gathered, signal: AbortSignal): Promise<boolean> {
    const { isKnown, isLeading, count, log } = this.#options;
    const { agents, last, missed } = gathered.take();
    const known = [...agents].filter(([agentId]) => isKnown(agentId));
    const upTo = this.#end?.mark ?? null;
    const goesOn = (): boolean => !signal.aborted && isLeading();
    await concurrently(known, AGENTS_AT_ONCE, async ([agentId, checkIns]) => {
      if (!goesOn()) return;
      try {
        await this.#streams.record(agentId, checkIns, upTo);
      } catch (error) {
        if (!isStreamUnusable(error)) throw error;
        this.#leftOut(agentId, checkIns.length, error);
      }
    });
    if (!goesOn()) return false;
    if (last !== null) await this.#markRecorded(last);
    if (missed > 0) {
      count('missed', missed);
      log.warn({ missed }, `${missed} check-ins had left the bus before they were recorded in the event store`);
    }
    return true;
  }

  async #markRecorded(mark: CheckInMark): Promise<void> {
    const { store } = this.#options;
    this.#upToMs = Date.parse(mark.receivedAt);
    try {
      const revision = await store.append(CHECKINS_RECORDED, this.#end?.revision ?? null, [recordedEvent(mark)]);
      this.#end = { revision, mark };
    } catch (error) {
      if (!isWrongRevision(error)) throw error;
      // Another gateway records as well. Which of the two marks stands does not matter.
      this.#end = await endOf(store, CHECKINS_RECORDED, error.actual);
    }
  }

  #leftOut(agentId: string, checkIns: number, why: unknown): void {
    const { count, log } = this.#options;
    count('left_out', checkIns);
    if (this.#named.has(agentId) || this.#named.size >= MOST_NAMED) return;
    this.#named.add(agentId);
    log.warn({ agentId, err: why }, `check-ins of ${agentId} are left out of the event store`);
  }
}

/** All of them done, so many at a time. Rejects with the first failure once nothing is under way any more. */
async function concurrently<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const failures: unknown[] = [];
  const workOn = async (): Promise<void> => {
    for (const item of queue) {
      if (failures.length > 0) return;
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, workOn));
  if (failures.length > 0) throw failures[0];
}
