import type { Clock } from '../../infra/clock.ts';
import type { LeaseRecord, LeaseStore } from '../../infra/leases/port.ts';
import type { LogName } from '../../infra/log/port.ts';
import { SteppedDown } from './machine.ts';

/** A holder that has not renewed for so long, as others see it, has lost its lease; and it writes nothing any more. */
export const LEASE_MS = 5_000;
const RENEW_EVERY_MS = 1_000;
/** Who has not reached the log for so long leaves it to others: long enough for a store that restarts. */
export const LOG_AWAY_MS = 10_000;
/** How often the clock is compared with the bus's while in office. */
const CLOCK_EVERY_RENEWALS = 10;

export interface TermOptions {
  readonly log: LogName;
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
  /** This gateway's own, without the log's id, which it may get while it is led. */
  readonly record: { readonly holder: string; readonly term: number };
  readonly logId: () => string | null;
  readonly revision: number;
  /** When the lease was asked for, by this gateway's clock, in ms. */
  readonly since: number;
  readonly clockAgrees: () => Promise<boolean>;
  /** Whether this gateway reaches the log, as far as is known. */
  readonly reachesLogs: () => boolean;
}

/**
 * A gateway's time as the one that leads a log: renewed every second, until it is handed back or somebody else has taken
 * it. A gateway that was stopped and wakes up long after sees at once that its term is not fresh, and writes nothing
 * before it has renewed it or learned that it is over.
 */
export class Term {
  readonly #options: TermOptions;
  readonly #end = new AbortController();
  readonly #lost = Promise.withResolvers<void>();
  #revision: number;
  #renewedAt: number;
  #reachedAt: number;
  #renewed = Promise.withResolvers<void>();
  readonly #renewing: Promise<void>;

  constructor(options: TermOptions) {
    this.#options = options;
    this.#revision = options.revision;
    this.#renewedAt = options.since;
    this.#reachedAt = options.since;
    this.#renewing = this.#renewForever();
  }

  /** Resolves when the lease is somebody else's, was handed back, or is to be: others may reach the log. */
  get lost(): Promise<void> {
    return this.#lost.promise;
  }

  /** Whether others still count this gateway as the holder. */
  get isFresh(): boolean {
    return !this.#end.signal.aborted && this.#options.clock.now() - this.#renewedAt < LEASE_MS;
  }

  /** Resolves once the term is fresh. Rejects with SteppedDown when it is over, or when `signal` aborts. */
  async fresh(signal: AbortSignal): Promise<void> {
    if (this.isFresh) return;
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    const abort = (): void => resolve();
    signal.addEventListener('abort', abort, { once: true });
    while (!this.isFresh && !this.#end.signal.aborted && !signal.aborted) {
      await Promise.race([this.#renewed.promise, this.#lost.promise, aborted]);
    }
    signal.removeEventListener('abort', abort);
    if (!this.isFresh) throw new SteppedDown();
  }

  /** Hands the lease back, so that another gateway takes it at once. Never rejects: without an answer it runs out by itself. */
  async release(): Promise<void> {
    const held = !this.#end.signal.aborted;
    this.#over();
    await this.#renewing;
    if (!held) return;
    const { store, log, onTrouble } = this.#options;
    try {
      await store.write(log, this.#recordOf(null), this.#revision);
    } catch (error) {
      onTrouble(`the lease of ${log} could not be handed back; it runs out by itself`, error);
    }
  }

  async #renewForever(): Promise<void> {
    const { clock, onTrouble, log } = this.#options;
    let told = false;
    for (let count = 1; !this.#end.signal.aborted; count += 1) {
      await clock.sleep(RENEW_EVERY_MS, this.#end.signal);
      if (this.#end.signal.aborted) return;
      if (this.#isCutOff()) {
        onTrouble(`${log} cannot be reached from here for ${LOG_AWAY_MS / 1000} s, so its lease is handed back`, null);
        this.#lost.resolve();
        return;
      }
      try {
        await this.#renew(count % CLOCK_EVERY_RENEWALS === 0);
        told = false;
      } catch (error) {
        if (!told) onTrouble(`the lease of ${log} could not be renewed; trying again`, error);
        told = true;
      }
    }
  }

  #recordOf(holder: string | null): LeaseRecord {
    const { record, logId } = this.#options;
    const id = logId();
    return { holder, term: record.term, ...(id === null ? {} : { logId: id }) };
  }

  #isCutOff(): boolean {
    const now = this.#options.clock.now();
    if (this.#options.reachesLogs()) this.#reachedAt = now;
    return now - this.#reachedAt >= LOG_AWAY_MS;
  }

  async #renew(compareClocks: boolean): Promise<void> {
    const { store, log, record, clock, clockAgrees } = this.#options;
    if (compareClocks && !(await clockAgrees())) {
      this.#over();
      return;
    }
    const asked = clock.now();
    const revision =
      (await store.write(log, this.#recordOf(record.holder), this.#revision)) ?? (await this.#ownRevision());
    if (revision === null) {
      this.#over();
      return;
    }
    this.#revision = revision;
    this.#renewedAt = asked;
    this.#renewed.resolve();
    this.#renewed = Promise.withResolvers();
  }

  /** A renewal whose answer was lost may be what stands there; then the lease is still ours. */
  async #ownRevision(): Promise<number | null> {
    const { store, log, record } = this.#options;
    const standing = await store.read(log);
    const ours = standing?.record.holder === record.holder && standing.record.term === record.term;
    return ours ? standing.revision : null;
  }

  #over(): void {
    this.#end.abort();
    this.#lost.resolve();
  }
}
