import { setTimeout as delay } from 'node:timers/promises';

/**
 * Time as an argument. `now` is in milliseconds since 1970; `sleep` resolves after `ms` milliseconds, or at once when
 * `signal` aborts: the caller asks the signal, not an exception. The simulation has a clock of its own.
 */
export interface Clock {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    }
  },
};

/** `2026-11-22T10:00:00.000Z` for a time in milliseconds. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
