import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../infra/clock.ts';

/**
 * Time that passes only when it is told to. Sleepers wake one after another, by time and then in the order in which they
 * went to sleep, and everything that one sets going is done before the next wakes: so the same run is the same run.
 */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  readonly #heap: Sleeper[] = [];

  constructor(startMs: number) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const sleeper: Sleeper = { at: this.#now + Math.max(0, ms), order: this.#order, wake, done: false };
    function wake(): void {
      sleeper.done = true;
      signal?.removeEventListener('abort', wake);
      resolve();
    }
    this.#order += 1;
    signal?.addEventListener('abort', wake, { once: true });
    push(this.#heap, sleeper);
    return promise;
  }

  afterOthers(): Promise<void> {
    return Promise.resolve();
  }

  /** Lets `ms` pass. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    await turn();
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > until) break;
      pop(this.#heap);
      if (next.done) continue;
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      // Promises that are due run before this comes back: nothing here waits for the real world.
      await turn();
    }
    this.#now = until;
  }
}

/** The same time as somebody's own clock shows it, who is off by `offset.ms`. Sleeping takes as long as it takes. */
export function shiftedClock(clock: Clock, offset: { readonly ms: number }): Clock {
  return {
    now: () => clock.now() + offset.ms,
    sleep: (ms, signal) => clock.sleep(ms, signal),
    afterOthers: () => clock.afterOthers(),
  };
}

interface Sleeper {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
  done: boolean;
}

function before(a: Sleeper, b: Sleeper): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Sleeper[], sleeper: Sleeper): void {
  let index = heap.length;
  heap.push(sleeper);
  while (index > 0) {
    const above = (index - 1) >>> 1;
    const parent = heap[above];
    if (parent === undefined || !before(sleeper, parent)) break;
    heap[index] = parent;
    index = above;
  }
  heap[index] = sleeper;
}

function pop(heap: Sleeper[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    const left = 2 * index + 1;
    const right = left + 1;
    const [a, b] = [heap[left], heap[right]];
    const child = a !== undefined && b !== undefined && before(b, a) ? b : a;
    if (child === undefined || !before(child, last)) break;
    heap[index] = child;
    index = child === b ? right : left;
  }
  heap[index] = last;
}
