import { pauseUnlessAborted } from '../bus/connect.ts';
import { StoreError } from './errors.ts';

const PROBE_PAUSES_MS = [100, 200, 400, 800, 1_600] as const;

/**
 * Whether the store is there, as far as its answers tell. Once it was lost it is probed until it is found again, whoever
 * else asks for it or not.
 */
export class Presence {
  #state: 'new' | 'connected' | 'away' = 'new';
  readonly #probe: () => Promise<void>;
  readonly #ending: AbortSignal;
  readonly #listeners = new Set<(connected: boolean) => void>();

  /** `probe` asks the store something and notes what comes of it; it may reject with StoreError. */
  constructor(probe: () => Promise<void>, ending: AbortSignal) {
    this.#probe = probe;
    this.#ending = ending;
  }

  get isConnected(): boolean {
    return this.#state === 'connected' && !this.#ending.aborted;
  }

  /** It was lost, and no answer has come since. */
  get isAway(): boolean {
    return this.#state === 'away' || this.#ending.aborted;
  }

  get isNew(): boolean {
    return this.#state === 'new';
  }

  note(now: 'connected' | 'away'): void {
    if (this.#state === now || this.#ending.aborted) return;
    this.#state = now;
    for (const listener of this.#listeners) listener(now === 'connected');
    if (now === 'away') void this.#untilFound();
  }

  onChange(listener: (connected: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #untilFound(): Promise<void> {
    for (let tries = 0; this.#state === 'away' && !this.#ending.aborted; tries += 1) {
      await pauseUnlessAborted(PROBE_PAUSES_MS[Math.min(tries, PROBE_PAUSES_MS.length - 1)] ?? 0, this.#ending);
      try {
        await this.#probe();
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
      }
    }
  }
}
