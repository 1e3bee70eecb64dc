import type { ObservedPull } from '../domain/checkIn.ts';
import { EngineError, isEngineTimeout, isNetworkFailure } from './engine/errors.ts';
import type { AgentPorts } from './ports.ts';

/** What the network spoils is tried so often; what a registry or a full disk says is final. */
const PULL_TRIES = 3;
const FIRST_PAUSE_MS = 2000;
/** Progress of all pulls together is told no more often, a try that failed excepted. */
const TELL_EVERY_MS = 1000;

interface Pull {
  readonly abort: AbortController;
  readonly done: Promise<void>;
  progress: ObservedPull;
  waiting: number;
}

/** Pulls images. Sessions that need the same one share its pull, which goes on for as long as one of them waits. */
export class Pulls {
  readonly #ports: Pick<AgentPorts, 'clock' | 'engine' | 'log' | 'random'>;
  readonly #onProgress: () => void;
  readonly #onPulled: (imageId: string, reference: string) => void;
  readonly #makeRoom: () => Promise<void>;
  readonly #running = new Map<string, Pull>();
  #toldAt = -Infinity;

  constructor(
    ports: Pick<AgentPorts, 'clock' | 'engine' | 'log' | 'random'>,
    listeners: {
      readonly onProgress: () => void;
      /** Awaited before each. Never rejects. */
      readonly makeRoom: () => Promise<void>;
      /** At the end of each that came to one. */
      readonly onPulled: (imageId: string, reference: string) => void;
    },
  ) {
    this.#ports = ports;
    this.#onProgress = listeners.onProgress;
    this.#onPulled = listeners.onPulled;
    this.#makeRoom = listeners.makeRoom;
  }

  /** How far the image is; null when it is not being pulled. */
  progressOf(reference: string): ObservedPull | null {
    return this.#running.get(reference)?.progress ?? null;
  }

  /** Resolves when the image is there. Rejects as the engine did, and at once when `signal` aborts. */
  async pull(reference: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const pull = this.#running.get(reference) ?? this.#begin(reference);
    pull.waiting += 1;
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([pull.done, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
      pull.waiting -= 1;
      if (pull.waiting === 0) this.#end(reference, pull);
    }
  }

  #begin(reference: string): Pull {
    const abort = new AbortController();
    const begun = Promise.withResolvers<void>();
    const progress = { layersDone: 0, layersTotal: 0, bytesDone: 0, bytesTotal: 0, attempt: 1 };
    const pull: Pull = { abort, done: begun.promise, progress, waiting: 0 };
    this.#running.set(reference, pull);
    void this.#try(reference, pull).then(begun.resolve, begun.reject);
    return pull;
  }

  /** A session that wants the image from now on begins a pull of its own, since this one is being given up. */
  #end(reference: string, pull: Pull): void {
    pull.abort.abort();
    if (this.#running.get(reference) === pull) this.#running.delete(reference);
  }

  async #try(reference: string, pull: Pull): Promise<void> {
    const { clock, engine, log, random } = this.#ports;
    const { signal } = pull.abort;
    await this.#makeRoom();
    signal.throwIfAborted();
    for (let attempt = 1; ; attempt += 1) {
      const onProgress = (progress: Omit<ObservedPull, 'attempt'>) => this.#note(pull, { ...progress, attempt });
      try {
        const { imageId } = await engine.pull(reference, { signal, onProgress });
        this.#onPulled(imageId, reference);
        return;
      } catch (error) {
        if (signal.aborted || !isWorthAnotherTry(error)) throw error;
        if (attempt === PULL_TRIES)
          throw new EngineError(error.code, `${error.message} (tried ${attempt} times)`, error);
        const retryMs = Math.round(FIRST_PAUSE_MS * 4 ** (attempt - 1) * (0.5 + random()));
        log.warn({ image: reference, err: error, attempt, retryMs }, 'image could not be pulled, tried again later');
        // Told at once, since nothing else will be until the next try.
        pull.progress = { ...pull.progress, attempt: attempt + 1 };
        this.#onProgress();
        await clock.sleep(retryMs, signal);
        signal.throwIfAborted();
      }
    }
  }

  #note(pull: Pull, progress: ObservedPull): void {
    pull.progress = progress;
    const now = this.#ports.clock.now();
    if (now - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = now;
    this.#onProgress();
  }
}

/** An engine that is away is not: whoever waits for the pull waits for the engine. */
function isWorthAnotherTry(error: unknown): error is EngineError {
  return isNetworkFailure(error) || isEngineTimeout(error);
}
