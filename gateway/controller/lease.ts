import { CLOCK_TOLERANCE_MS, type Clock } from '../../infra/clock.ts';
import type { LeaseStore, StandingLease } from '../../infra/leases/port.ts';
import type { LogName } from '../../infra/log/port.ts';
import { LEASE_MS, Term } from './term.ts';

const LOOK_EVERY_MS = 500;

export interface LeaseOptions {
  readonly log: LogName;
  readonly gatewayId: string;
  readonly store: LeaseStore;
  /** Whether nobody on the bus answers for that gateway. */
  readonly isGone: (gatewayId: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

/**
 * One gateway's way to the lease of one log. Takes it when nobody holds it, when it was handed back, when its holder is gone
 * from the bus, or when its holder has not moved it for `LEASE_MS` by this gateway's own clock.
 */
export class Lease {
  readonly #options: LeaseOptions;
  #holder: string | null = null;
  #watched: { readonly revision: number; readonly since: number } | null = null;
  #troubled = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** Who leads the log as far as this gateway knows; null when nobody does. */
  get holder(): string | null {
    return this.#holder;
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
    const { store, log, gatewayId } = this.#options;
    const standing = await store.read(log);
    if (signal.aborted) return null;
    if (standing !== null && !(await this.#isFree(standing))) {
      this.#holder = standing.record.holder;
      onOther();
      return null;
    }
    if (!(await this.#clockAgrees())) {
      onOther();
      return null;
    }
    const record = { holder: gatewayId, term: (standing?.record.term ?? 0) + 1 };
    const since = this.#options.clock.now();
    const revision = await store.write(log, record, standing?.revision ?? 0);
    if (revision === null) return null;
    this.#holder = gatewayId;
    return new Term({ ...this.#options, record, revision, since, clockAgrees: () => this.#clockAgrees() });
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
