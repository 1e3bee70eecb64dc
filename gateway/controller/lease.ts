import { CLOCK_TOLERANCE_MS, type Clock } from '../../infra/clock.ts';
import type { LeaseStore, StandingLease } from '../../infra/leases/port.ts';
import type { LogName } from '../../infra/log/port.ts';
import { LEASES_STREAM } from '../../infra/names.ts';
import { LEASE_MS, Term } from './term.ts';

const LOOK_EVERY_MS = 500;

export interface LeaseOptions {
  readonly log: LogName;
  readonly gatewayId: string;
  readonly store: LeaseStore;
  /** Whether nobody on the bus answers for that gateway. */
  readonly isGone: (gatewayId: string) => Promise<boolean>;
  /** Whether this gateway reaches the log, which may be kept elsewhere than the leases. */
  readonly reachesLogs: () => boolean;
  /** The log's own id as it is found here; null while the log is empty. */
  readonly logId: () => string | null;
  readonly clock: Clock;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

/**
 * One gateway's way to the lease of one log. Takes it when nobody holds it, when it was handed back, when its holder is gone
 * from the bus, or when its holder has not moved it for `LEASE_MS` by this gateway's own clock; but not while this gateway
 * does not reach the log, which another may.
 */
export class Lease {
  readonly #options: LeaseOptions;
  #holder: string | null = null;
  #watched: { readonly revision: number; readonly since: number } | null = null;
  #troubled = false;
  #foreign: string | null = null;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** Who leads the log as far as this gateway knows; null when nobody does. */
  get holder(): string | null {
    return this.#holder;
  }

  /** Why this is not the log that was led last, as a sentence; null when it is. */
  get foreign(): string | null {
    return this.#foreign;
  }

  /** Resolves with a term in office, or with null when `signal` aborts. `onOther` is called while somebody else has it. */
  async acquire(signal: AbortSignal, onOther: () => void): Promise<Term | null> {
    while (!signal.aborted) {
      try {
        const term = await this.#tryOnce(signal, onOther);
        if (term !== null) return term;
        this.#troubled = false;
      } catch (error) {
        if (!this.#troubled) this.#options.onTrouble(`the lease of ${this.#options.log} cannot be reached`, error);
        this.#troubled = true;
      }
      await this.#options.clock.sleep(LOOK_EVERY_MS, signal);
    }
    return null;
  }

  async #tryOnce(signal: AbortSignal, onOther: () => void): Promise<Term | null> {
    const { store, log, gatewayId, logId } = this.#options;
    const standing = await store.read(log);
    if (signal.aborted) return null;
    if (standing !== null && !this.#isSameLog(standing)) {
      this.#holder = null;
      onOther();
      return null;
    }
    if (standing !== null && !(await this.#isFree(standing))) {
      this.#holder = standing.record.holder;
      onOther();
      return null;
    }
    if (!this.#options.reachesLogs() || !(await this.#clockAgrees())) {
      this.#holder = null;
      onOther();
      return null;
    }
    const record = { holder: gatewayId, term: (standing?.record.term ?? 0) + 1 };
    const since = this.#options.clock.now();
    const id = logId();
    const named = id === null ? record : { ...record, logId: id };
    const revision = await store.write(log, named, standing?.revision ?? 0);
    if (revision === null) return null;
    this.#holder = gatewayId;
    return new Term({ ...this.#options, record, revision, since, clockAgrees: () => this.#clockAgrees() });
  }

  /** Two stores, or a store that was emptied, must not become two truths: what was led last is led on, or nothing. */
  #isSameLog({ record: { logId } }: StandingLease): boolean {
    const { log, logId: own, onTrouble } = this.#options;
    const found = own();
    const before = this.#foreign;
    this.#foreign = logId === undefined || logId === found ? null : foreignLog(log, logId, found);
    if (this.#foreign !== null && this.#foreign !== before) onTrouble(this.#foreign, null);
    return this.#foreign === null;
  }

  async #isFree({ record: { holder }, revision }: StandingLease): Promise<boolean> {
    const { clock, gatewayId, isGone } = this.#options;
    const now = clock.now();
    if (this.#watched?.revision !== revision) this.#watched = { revision, since: now };
    if (holder === null || holder === gatewayId) return true;
    return now - this.#watched.since >= LEASE_MS || (await isGone(holder));
  }

  async #clockAgrees(): Promise<boolean> {
    const { store, clock, onTrouble, log } = this.#options;
    const { ms, withinMs } = await store.time();
    const ahead = clock.now() - ms;
    if (Math.abs(ahead) <= CLOCK_TOLERANCE_MS + withinMs / 2) return true;
    const seconds = (Math.abs(ahead) / 1000).toFixed(1);
    const way = ahead > 0 ? 'ahead of' : 'behind';
    const sentence = `this gateway's clock is ${seconds} s ${way} the bus's, so it may not lead ${log}; set the clock (NTP)`;
    onTrouble(sentence, new Error(`clock skew of ${Math.round(ahead)} ms`));
    return false;
  }
}

function foreignLog(log: LogName, led: string, found: string | null): string {
  const here = found === null ? 'none is found here' : `the log found here is ${found}`;
  return (
    `${log} was the log ${led} when it was led last, and ${here}, so nothing is written: name the store of the other gateways in ` +
    `MUSTER_EVENT_LOG, with the log in it; or, for a new beginning, delete the stream ${LEASES_STREAM} and start again`
  );
}
