import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../infra/clock.ts';

/** A clock that stands still until it is told to go on. */
export interface ManualClock extends Clock {
  /** Goes on by `ms`, waking every sleeper in the order of its time and letting each do its work before the next. */
  advance(ms: number): Promise<void>;
  /** Is set by so much, as by hand: nothing happens by it, and nobody wakes. */
  jump(ms: number): void;
  /** Goes on in small steps until the condition holds; throws after `limitMs` of its own time. */
  until(condition: () => boolean, limitMs?: number): Promise<void>;
}

interface Sleeper {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
}

export function manualClock(startMs: number): ManualClock {
  let now = startMs;
  let order = 0;
  const sleepers = new Set<Sleeper>();

  async function advanceTo(target: number): Promise<void> {
    await turn();
    for (;;) {
      const next = [...sleepers].toSorted((a, b) => a.at - b.at || a.order - b.order)[0];
      if (next === undefined || next.at > target) break;
      now = Math.max(now, next.at);
      next.wake();
      await turn();
    }
    now = target;
  }

  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const wake = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper = { at: now + ms, order: (order += 1), wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake, { once: true });
      }),
    afterOthers: () => Promise.resolve(),
    advance: (ms) => advanceTo(now + ms),
    jump(ms) {
      now += ms;
    },
    async until(condition, limitMs = 120_000) {
      const limit = now + limitMs;
      await turn();
      while (!condition()) {
        if (now >= limit) throw new Error(`the condition did not come true within ${limitMs} ms of the manual clock`);
        await advanceTo(now + 10);
      }
    },
  };
}
