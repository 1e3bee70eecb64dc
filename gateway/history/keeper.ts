import type { Logger } from 'pino';
import { readCheckIns } from '../../infra/bus/checkIns.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import { markWrittenUpTo, readWrittenUpTo } from '../../infra/bus/rollups.ts';
import { isoTime, type Clock } from '../../infra/clock.ts';
import { FINE, startOf } from '../../projections/rollup.ts';
import { absorb, addSample, forgetHours, measuredAt, type UtilizationHistory } from '../../projections/utilization.ts';
import { writeHours } from './writer.ts';

export interface HistoryKeeperOptions {
  /** Account APP. */
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Logger;
  /** The open hours, to which everybody else adds what is received. */
  readonly history: UtilizationHistory;
  /** Check-ins of others are left out. */
  readonly isKnown: (agentId: string) => boolean;
  /** Asked again and again: the gateway that leads writes, the others only read. */
  readonly isLeading: () => boolean;
}

type Role = 'leading' | 'following';

const HOUR_MS = FINE.chunkSeconds * 1000;
const PASS_MS = 10_000;
const PAUSE_AFTER_FAILURE_MS = 60_000;
/** So long after its end an hour is closed: what was received in it has arrived here. */
const GRACE_MS = 20_000;
/** Closed hours that are held although nobody has written them; what is older is found in the stored check-ins. */
const HOURS_HELD = 2;
/** So many stored check-ins are folded before everything else gets its turn. */
const BATCH = 500;

/**
 * Keeps the history whole: writes hours that have closed, and reads from the stored check-ins what this gateway has not
 * heard itself, be it that it did not run, that the bus was away, or that it has just begun to lead. Every pass starts from
 * what is there: the mark up to which everything is written, and whether memory has all that is behind it.
 */
export class HistoryKeeper {
  readonly #options: HistoryKeeperOptions;
  /**
   * Leading: the open hours have everything that is not behind the mark. Following: enough to show the hours that are held.
   * Null: something may not have been heard.
   */
  #wholeFor: Role | null = null;
  /** How often the connection was lost: after that something may not have been heard. */
  #losses = 0;

  constructor(options: HistoryKeeperOptions) {
    this.#options = options;
  }

  /** Passes until the signal aborts. Trouble is logged once until it is over, and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { bus, clock, log } = this.#options;
    const stopWatching = bus.onChange((connected) => {
      if (!connected) this.#lost();
    });
    let failing = false;
    while (!signal.aborted) {
      try {
        if (bus.isConnected()) {
          await this.pass(signal);
          failing = false;
        }
      } catch (error) {
        if (!failing && !signal.aborted && bus.isConnected()) {
          log.warn({ err: error }, 'the utilization history could not be read or written; trying again');
          failing = true;
        }
      }
      await clock.sleep(failing ? PAUSE_AFTER_FAILURE_MS : PASS_MS, signal);
    }
    stopWatching();
  }

  /** One look at what is missing, and doing it. Throws BusError. */
  async pass(signal: AbortSignal): Promise<void> {
    const { bus, clock, history, isLeading } = this.#options;
    const role = isLeading() ? 'leading' : 'following';
    const written = (await readWrittenUpTo(bus)) ?? 0;
    const closed = startOf(clock.now() - GRACE_MS, FINE.chunkSeconds);
    const held = closed - HOURS_HELD * HOUR_MS;
    try {
      if (role === 'leading') {
        if (this.#wholeFor !== role) await this.#replay(role, written, signal);
        if (this.#wholeFor === role) await this.#write(history, closed, signal);
        return;
      }
      if (this.#wholeFor === null) await this.#replay(role, Math.max(written, held), signal);
      // What a simulated agent said of hours behind the mark may go too soon, so a successor reads for itself.
      if (this.#wholeFor === 'leading') this.#wholeFor = role;
      forgetHours(history, Math.max(written, held));
    } catch (error) {
      // Where nothing can be written memory has its bound all the same; what is dropped is read again.
      if (forgetHours(history, held)) this.#wholeFor = null;
      throw error;
    }
  }

  /**
   * Reads what the bus received since a time, on the side, because the same check-ins may be heard at the same moment; of
   * a bucket that both have the fuller counts. Hours that close on the way are written, so a long backlog needs no more
   * memory than a short one, and is not begun again after an interruption.
   */
  async #replay(role: Role, since: number, signal: AbortSignal): Promise<void> {
    const { bus, clock, history, isKnown, isLeading, log } = this.#options;
    const losses = this.#losses;
    const replayed: UtilizationHistory = new Map();
    let hour = startOf(since, FINE.chunkSeconds);
    let checkIns = 0;
    for await (const { checkIn, receivedAt } of readCheckIns(bus, { since: isoTime(since), signal })) {
      const received = Date.parse(receivedAt);
      if (received >= hour + HOUR_MS) {
        hour = startOf(received, FINE.chunkSeconds);
        if (isLeading()) await this.#write(replayed, hour, signal);
        else forgetHours(replayed, hour - HOURS_HELD * HOUR_MS);
        if (checkIns > 0) log.info({ upTo: isoTime(hour), checkIns }, 'stored check-ins went into the history');
      }
      checkIns += 1;
      if (checkIns % BATCH === 0) await clock.sleep(1, signal);
      if (isKnown(checkIn.agentId)) addSample(replayed, checkIn.agentId, measuredAt(checkIn, received), checkIn.usage);
    }
    absorb(history, replayed);
    if (losses !== this.#losses || signal.aborted) return;
    this.#wholeFor = role;
    log.debug({ since: isoTime(since), checkIns }, 'the open hours of the history are complete');
  }

  /** All of `history` before a time that everything received before is in. */
  async #write(history: UtilizationHistory, before: number, signal: AbortSignal): Promise<void> {
    const { bus, clock, isLeading } = this.#options;
    if (await writeHours({ bus, clock, history, before, signal, isLeading })) await markWrittenUpTo(bus, before);
  }

  #lost(): void {
    this.#losses += 1;
    this.#wholeFor = null;
  }
}
