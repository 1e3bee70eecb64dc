import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { StartError, StartFailure, isStartError } from './errors.ts';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** After this long without a crash the next pause is the first again. */
const SETTLED_MS = 60_000;
/** A part that never became ready is given up after so many attempts; one that has been ready never is. */
const FIRST_ATTEMPTS = 5;

export type PartOptions<Ready> = {
  readonly name: string;
  readonly spawn: () => ChildProcess;
  /**
   * Resolves when the process serves. It may reject; the end of the process is noticed here. With StartError PART_REFUSED the
   * process is not started again, unless it has served before.
   */
  readonly whenReady: (child: ChildProcess, signal: AbortSignal) => Promise<Ready>;
  readonly say: (line: string) => void;
  /** Where the process's own messages are: `above` or a file. */
  readonly messages: string;
};

/** A part that is started again whenever it ends by itself. */
export type Part<Ready> = {
  /** The first time it is ready. Rejects when it never is, or is stopped before. */
  readonly ready: Promise<Ready>;
  /** Asks it to end, by force after the limit. Resolves when its process is gone. */
  readonly stop: (limitMs: number) => Promise<void>;
  readonly killNow: () => void;
  /** Sends SIGHUP, on which nats-server reads its configuration and certificate again. */
  readonly hangUp: () => void;
};

/** `refusal`: why starting it again is in vain. */
type End = { readonly how: string; readonly refusal?: StartError };

export function keep<Ready>(options: PartOptions<Ready>): Part<Ready> {
  const stopping = new AbortController();
  const first = Promise.withResolvers<Ready>();
  // Whoever waits for `ready` hears of a failure; nobody may be waiting any more when the part is stopped.
  first.promise.catch(() => undefined);
  let child: ChildProcess | undefined;
  let wasReady = false;

  const oneLife = async (): Promise<End> => {
    const over = new AbortController();
    const living = options.spawn();
    child = living;
    const ended = endOf(living).finally(() => over.abort());
    try {
      const ready = await Promise.race([options.whenReady(living, over.signal), ended.then(failedBeforeReady)]);
      if (wasReady) options.say(`${options.name} is back`);
      wasReady = true;
      first.resolve(ready);
    } catch (error) {
      living.kill('SIGKILL');
      const end = await ended;
      if (isStartError(error, StartFailure.partRefused)) return { how: error.message, refusal: error };
      return { how: error instanceof EndedEarly ? end.how : `${String(error)}; ${end.how}` };
    }
    return ended;
  };

  const run = async (): Promise<void> => {
    let pauseMs = FIRST_PAUSE_MS;
    for (let attempt = 1; !stopping.signal.aborted; attempt += 1) {
      const startedAt = performance.now();
      const { how, refusal } = await oneLife();
      if (stopping.signal.aborted) break;
      if (!wasReady && refusal !== undefined) {
        first.reject(refusal);
        return;
      }
      if (!wasReady && attempt >= FIRST_ATTEMPTS) {
        const message = `${options.name} did not start: it ended ${attempt} times (${how}). What it said is ${options.messages}`;
        first.reject(new StartError(StartFailure.partFailed, message));
        return;
      }
      if (performance.now() - startedAt > SETTLED_MS) pauseMs = FIRST_PAUSE_MS;
      options.say(`${options.name} ended (${how}); starting it again in ${pauseMs / 1000} s`);
      await interruptiblePause(pauseMs, stopping.signal);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
    first.reject(new StartError(StartFailure.interrupted, `${options.name} was stopped before it was ready`));
  };
  const finished = run();
  finished.catch((error: unknown) => first.reject(error));

  return {
    ready: first.promise,
    stop: async (limitMs) => {
      stopping.abort();
      child?.kill('SIGTERM');
      const force = setTimeout(() => child?.kill('SIGKILL'), limitMs);
      try {
        await finished;
      } finally {
        clearTimeout(force);
      }
    },
    killNow: () => {
      stopping.abort();
      child?.kill('SIGKILL');
    },
    hangUp: () => child?.kill('SIGHUP'),
  };
}

/** The process ended while its readiness was being waited for; how it ended is known elsewhere. */
class EndedEarly extends Error {}

function failedBeforeReady(end: End): never {
  throw new EndedEarly(end.how);
}

async function endOf(child: ChildProcess): Promise<End> {
  try {
    const [code, signal]: unknown[] = await once(child, 'exit');
    return { how: typeof signal === 'string' ? signal : `exit code ${String(code)}` };
  } catch (error) {
    return {
      how: `it could not be started: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

async function interruptiblePause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await pause(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
