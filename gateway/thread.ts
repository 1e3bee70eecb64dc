import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/**
 * Has a file do its task in a thread of its own and say one thing. `what` is what it writes, for whoever reads of its trouble.
 * Rejects when it could not; aborting `signal` ends the thread.
 */
export async function inThread(file: string, what: string, task: unknown, signal: AbortSignal): Promise<unknown> {
  const worker = new Worker(file, { workerData: task });
  const end = (): void => void worker.terminate();
  signal.addEventListener('abort', end, { once: true });
  try {
    const [message]: unknown[] = await Promise.race([once(worker, 'message'), endedEarly(worker)]);
    return message;
  } catch (error) {
    // What a thread throws arrives as a copy, which is no Error of this one.
    const why = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : '';
    throw new Error(`the thread that writes ${what} failed: ${why}`, { cause: error });
  } finally {
    signal.removeEventListener('abort', end);
    await worker.terminate();
  }
}

async function endedEarly(worker: Worker): Promise<never> {
  const [code]: unknown[] = await once(worker, 'exit');
  throw new Error(`it ended with ${String(code)} before it was done`);
}
