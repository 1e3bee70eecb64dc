import type { LivePatch, LiveSnapshot } from './fleet.ts';
import { isRefusal, isSignedOut } from './problem.ts';

/** How long to wait before the n-th new attempt, in seconds; the last one repeats. */
const RETRY_SECONDS = [1, 2, 4, 8, 15] as const;

export interface LiveHandlers {
  readonly onSnapshot: (snapshot: LiveSnapshot) => void;
  readonly onPatch: (patch: LivePatch) => void;
  /** The connection is gone; the next attempt is in that many seconds. */
  readonly onLost: (retryInSeconds: number) => void;
  readonly onSignedOut: () => void;
}

/**
 * The live stream of the fleet, kept open. The browser's own retry cannot tell "signed out" from "away" and shows
 * nothing, so each attempt first asks who we are, and starts from a fresh snapshot.
 */
export class LiveFleet {
  readonly #handlers: LiveHandlers;
  readonly #probe: () => Promise<unknown>;
  #source: EventSource | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #closed = false;

  constructor(handlers: LiveHandlers, probe: () => Promise<unknown>) {
    this.#handlers = handlers;
    this.#probe = probe;
  }

  open(): void {
    this.#closed = false;
    globalThis.addEventListener('online', this.retryNow);
    globalThis.addEventListener('offline', this.#lost);
    this.#connect();
  }

  close(): void {
    this.#closed = true;
    globalThis.removeEventListener('online', this.retryNow);
    globalThis.removeEventListener('offline', this.#lost);
    this.#drop();
  }

  readonly retryNow = (): void => {
    this.#drop();
    void this.#tryAgain();
  };

  #connect(): void {
    const source = new EventSource('/api/v1/live?view=fleet');
    this.#source = source;
    source.addEventListener('snapshot', (event: MessageEvent<string>) => {
      this.#attempt = 0;
      const snapshot: LiveSnapshot = JSON.parse(event.data);
      this.#handlers.onSnapshot(snapshot);
    });
    source.addEventListener('patch', (event: MessageEvent<string>) => {
      const patch: LivePatch = JSON.parse(event.data);
      this.#handlers.onPatch(patch);
    });
    source.addEventListener('error', this.#lost);
  }

  readonly #lost = (): void => {
    this.#drop();
    if (this.#closed) return;
    const seconds = RETRY_SECONDS[Math.min(this.#attempt, RETRY_SECONDS.length - 1)] ?? 15;
    this.#attempt += 1;
    this.#handlers.onLost(seconds);
    this.#timer = setTimeout(() => void this.#tryAgain(), seconds * 1000);
  };

  async #tryAgain(): Promise<void> {
    try {
      await this.#probe();
    } catch (error) {
      if (isSignedOut(error)) return this.#handlers.onSignedOut();
      if (isRefusal(error)) return this.#lost();
      throw error;
    }
    if (!this.#closed && this.#source === null) this.#connect();
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }
}
