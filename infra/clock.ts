import { setImmediate as turn } from 'node:timers/promises';

/**
 * Time as an argument. `now` is in milliseconds since 1970; `sleep` resolves after `ms` milliseconds, or at once when
 * `signal` aborts: the caller asks the signal, not an exception. The simulation has a clock of its own.
 */
export interface Clock {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Resolves when everything that can go on at once has gone on: what nobody waits for lets answers go first. */
  afterOthers(): Promise<void>;
}

/** A gateway whose clock is further from the bus's than this may not lead: its times would stand in the log. */
export const CLOCK_TOLERANCE_MS = 2_000;

/** The machine's own clock. Aborting a sleep is common and makes no exception, which would cost more than the timer. */
export const realClock: Clock = {
  now: () => Date.now(),
  sleep(ms, signal) {
    if (signal?.aborted === true) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
    return promise;
  },
  afterOthers: () => turn(),
};

/** `2026-11-22T10:00:00.000Z` for a time in milliseconds. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
