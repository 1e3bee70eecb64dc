import type { Clock } from '../../infra/clock.ts';

export interface LockRules {
  /** So many tries in a row cost nothing; each further one doubles the wait. */
  readonly free: number;
  readonly firstMs: number;
  readonly mostMs: number;
}

/** After so long without a try everything is forgotten, in ms. */
const FORGOTTEN_MS = 3_600_000;
/** Of these the one that was tried longest ago goes first. */
const MOST_KEPT = 10_000;

interface Tries {
  readonly count: number;
  readonly lastAt: number;
  readonly lockedUntil: number;
}

/**
 * Makes guessing slow: whoever was wrong too often in a row (an account, an address) waits, twice as long each time, and
 * never longer than `mostMs`. A try counts when it begins, so that many at once are no way around; one that was right is
 * taken back. What is refused while locked does not count, so nobody can keep another locked out for ever.
 */
export class LockOut {
  readonly #clock: Clock;
  readonly #rules: LockRules;
  readonly #tries = new Map<string, Tries>();

  constructor(clock: Clock, rules: LockRules) {
    this.#clock = clock;
    this.#rules = rules;
  }

  /** How long `key` has to wait, in ms; 0 when it may try. */
  waitMs(key: string): number {
    const { lockedUntil = 0 } = this.#tries.get(key) ?? {};
    return Math.max(0, lockedUntil - this.#clock.now());
  }

  /** Counts a try that begins. */
  count(key: string): void {
    const now = this.#clock.now();
    const before = this.#tries.get(key);
    const count = before === undefined || now - before.lastAt > FORGOTTEN_MS ? 1 : before.count + 1;
    const { free, firstMs, mostMs } = this.#rules;
    const wait = count < free ? 0 : Math.min(mostMs, firstMs * 2 ** Math.min(count - free, 30));
    // Last in the map, so that the first is the one that was tried longest ago.
    this.#tries.delete(key);
    this.#tries.set(key, { count, lastAt: now, lockedUntil: now + wait });
    const [oldest] = this.#tries.keys();
    if (this.#tries.size > MOST_KEPT && oldest !== undefined) this.#tries.delete(oldest);
  }

  /** The try was right: it and those before it are forgotten. */
  clear(key: string): void {
    this.#tries.delete(key);
  }

  /** The try was right or did not happen: it alone is taken back, since others may come from the same place. */
  takeBack(key: string): void {
    const tries = this.#tries.get(key);
    if (tries === undefined) return;
    if (tries.count <= 1) this.#tries.delete(key);
    else this.#tries.set(key, { ...tries, count: tries.count - 1, lockedUntil: 0 });
  }
}
