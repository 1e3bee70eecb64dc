import { join } from 'node:path';
import type { BusTls } from '../../infra/bus/tls.ts';
import type { Config } from '../../infra/config/config.ts';
import type { EventLogPlace } from '../../infra/config/values.ts';
import type { LogName } from '../../infra/log/port.ts';
import { inThread } from '../thread.ts';

/** What the thread needs to find the log by itself. */
export interface SnapshotTask {
  readonly log: LogName;
  readonly busUrl: string;
  readonly busTls?: BusTls;
  readonly password: string;
  readonly replicas: number;
  /** Where the log is kept; the snapshots are on the bus. */
  readonly place: EventLogPlace;
}

/** Where a thread finds the logs of this configuration by itself. */
export function threadTask(config: Config): Omit<SnapshotTask, 'log'> {
  return {
    busUrl: config.natsUrl ?? '',
    busTls: config.natsTls,
    password: config.natsLogPassword ?? '',
    replicas: config.replicas,
    place: config.eventLog,
  };
}

/** What a thread has written: the version, or null when there was nothing new; and what it had to leave out. */
export interface SnapshotDone {
  readonly version: number | null;
  readonly troubles: readonly string[];
}

/** Writes one snapshot in a thread. Rejects when it could not; aborting `signal` ends the thread, which leaves nothing half. */
export async function snapshotInThread(task: SnapshotTask, signal: AbortSignal): Promise<SnapshotDone> {
  const said = await inThread(join(import.meta.dirname, 'worker.ts'), 'snapshots', task, signal);
  if (isDone(said)) return said;
  throw new Error('the thread that writes snapshots said something else');
}

function isDone(value: unknown): value is SnapshotDone {
  return typeof value === 'object' && value !== null && 'version' in value && 'troubles' in value;
}
