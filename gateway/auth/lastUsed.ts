import type { Clock } from '../../infra/clock.ts';

const MINUTE_MS = 60_000;

/** When each of what is shown was last used, to the minute, by this gateway since it started. */
export class LastUsed {
  readonly #clock: Clock;
  readonly #isLive: (id: string) => boolean;
  readonly #most: number;
  readonly #at = new Map<string, number>();

  /** With more than twice `most`, those that are not live any more are forgotten. */
  constructor(clock: Clock, most: number, isLive: (id: string) => boolean) {
    this.#clock = clock;
    this.#most = most;
    this.#isLive = isLive;
  }

  note(id: string): void {
    const now = this.#clock.now();
    this.#at.set(id, now - (now % MINUTE_MS));
    if (this.#at.size <= 2 * this.#most) return;
    for (const known of this.#at.keys()) if (!this.#isLive(known)) this.#at.delete(known);
  }

  /** In ms since 1970; null: not. */
  at(id: string): number | null {
    return this.#at.get(id) ?? null;
  }

  forget(id: string): void {
    this.#at.delete(id);
  }
}
