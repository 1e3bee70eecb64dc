import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { LogName } from '../../infra/log/port.ts';

/** What the thread needs to find the log by itself. */
export interface SnapshotTask {
  readonly log: LogName;
  readonly busUrl: string;
  readonly password: string;
  readonly replicas: number;
}

/** What a thread has written: the version, or null when there was nothing new; and what it had to leave out. */
export interface SnapshotDone {
  readonly version: number | null;
  readonly troubles: readonly string[];
}

/** Writes one snapshot in a thread. Rejects when it could not; aborting `signal` ends the thread, which leaves nothing half. */
export async function snapshotInThread(task: SnapshotTask, signal: AbortSignal): Promise<SnapshotDone> {
  const worker = new Worker(join(import.meta.dirname, 'worker.ts'), { workerData: task });
  const end = (): void => void worker.terminate();
  signal.addEventListener('abort', end, { once: true });
  try {
    const [message]: unknown[] = await Promise.race([once(worker, 'message'), endedEarly(worker)]);
    if (isDone(message)) return message;
    throw new Error('it said something else');
  } catch (error) {
    // What a thread throws arrives as a copy, which is no Error of this one.
    const why = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : '';
    throw new Error(`the thread that writes snapshots failed: ${why}`, { cause: error });
  } finally {
    signal.removeEventListener('abort', end);
    await worker.terminate();
  }
}

async function endedEarly(worker: Worker): Promise<never> {
  const [code]: unknown[] = await once(worker, 'exit');
  throw new Error(`it ended with ${String(code)} before it was done`);
}

function isDone(value: unknown): value is SnapshotDone {
  return typeof value === 'object' && value !== null && 'version' in value && 'troubles' in value;
}
