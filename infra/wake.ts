import type { Clock } from './clock.ts';

/**
 * A bell that remembers being rung: any number of rings before the next `wait` are one. `wait` resolves when it is rung,
 * after `ms`, or when `signal` aborts, whichever comes first, and says which it was.
 */
export class Wake {
  #rung = false;
  #waiter: AbortController | null = null;

  ring(): void {
    this.#rung = true;
    this.#waiter?.abort();
  }

  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<'rung' | 'elapsed' | 'aborted'> {
    if (!this.#rung && !signal.aborted) {
      const waiter = new AbortController();
      const abort = () => waiter.abort();
      signal.addEventListener('abort', abort, { once: true });
      this.#waiter = waiter;
      await clock.sleep(ms, waiter.signal);
      this.#waiter = null;
      signal.removeEventListener('abort', abort);
    }
    if (signal.aborted) return 'aborted';
    const rung = this.#rung;
    this.#rung = false;
    return rung ? 'rung' : 'elapsed';
  }
}
