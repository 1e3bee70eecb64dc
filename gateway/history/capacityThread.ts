import { join } from 'node:path';
import type { SnapshotTask } from '../snapshots/thread.ts';
import { inThread } from '../thread.ts';

/** What the thread needs: what one that writes a snapshot does, whose log it reads, and the account of what is kept. */
export interface CapacityTask extends Omit<SnapshotTask, 'log'> {
  readonly zone: string;
  readonly appPassword: string;
}

export interface CapacityDone {
  /** Up to which steps are kept now; null: there is no log yet, or another thread builds them anew. */
  readonly version: number | null;
  readonly troubles: readonly string[];
}

/** Writes in a thread what has moved since. Rejects when it could not; what was written by then is written. */
export async function capacityInThread(task: CapacityTask, signal: AbortSignal): Promise<CapacityDone> {
  const said = await inThread(join(import.meta.dirname, 'capacityWorker.ts'), 'capacity and allocated', task, signal);
  if (isDone(said)) return said;
  throw new Error('the thread that writes capacity and allocated said something else');
}

function isDone(value: unknown): value is CapacityDone {
  return typeof value === 'object' && value !== null && 'version' in value && 'troubles' in value;
}
