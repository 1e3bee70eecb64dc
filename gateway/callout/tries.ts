import type { Clock } from '../../infra/clock.ts';

const WINDOW_MS = 60_000;
/** Further ones are counted together, so that whoever comes under many names finds no way around. */
const MOST_REMEMBERED = 10_000;

/** Counts failed tries of each that tries, in windows of a minute. Bounded, whoever comes. */
export class Tries {
  readonly #clock: Clock;
  readonly #mostFailures: number;
  #windowStart = 0;
  #failures = new Map<string, number>();

  constructor(clock: Clock, mostFailures: number) {
    this.#clock = clock;
    this.#mostFailures = mostFailures;
  }

  /** Whether it has failed as often as it may in this window. */
  isSpent(who: string): boolean {
    this.#turn();
    return (this.#failures.get(this.#placeOf(who)) ?? 0) >= this.#mostFailures;
  }

  failed(who: string): void {
    this.#turn();
    const place = this.#placeOf(who);
    this.#failures.set(place, (this.#failures.get(place) ?? 0) + 1);
  }

  #placeOf(who: string): string {
    return this.#failures.has(who) || this.#failures.size < MOST_REMEMBERED ? who : '';
  }

  #turn(): void {
    const now = this.#clock.now();
    if (now - this.#windowStart < WINDOW_MS && now >= this.#windowStart) return;
    this.#windowStart = now;
    this.#failures = new Map();
  }
}
