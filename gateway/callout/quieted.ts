import type { Clock } from '../../infra/clock.ts';

const QUIET_MS = 60_000;

/** Agents that have said more than they may: they are thrown out and not let in for a minute. Bounded by those that were let in. */
export class Quieted {
  readonly #clock: Clock;
  readonly #until = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(agentId: string): void {
    const now = this.#clock.now();
    for (const [other, until] of this.#until) if (until <= now) this.#until.delete(other);
    this.#until.set(agentId, now + QUIET_MS);
  }

  has(agentId: string): boolean {
    return this.#clock.now() < (this.#until.get(agentId) ?? 0);
  }
}
