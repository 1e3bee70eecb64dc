import { KERNEL_LOG, closeKernelLog, newRecords, openKernelLog } from '../kernelLog.ts';

/**
 * What the kernel says of processes that it killed because memory ran out. A container engine hears of such kills only
 * from a moment after a container's start, so of one that is killed at once it says nothing; and nothing of any that had
 * to go because the whole host ran out of memory. The kernel itself leaves none out (it limits a flood of them).
 */
const SAID_OF_A_KILL = 'oom-kill:';
/** A control group is named after its container: `/docker/<id>`, `/system.slice/docker-<id>.scope` and the like. */
const KILL = /oom-kill:constraint=\S*task_memcg=[^,]*?([0-9a-f]{64})/g;

/** The containers that had a process killed. */
export function containersOutOfMemory(kernelLog: string): ReadonlySet<string> {
  return new Set([...kernelLog.matchAll(KILL)].flatMap(([, containerId]) => containerId ?? []));
}

/** What the kernel still knows of kills; null where this process may not read it. */
export async function readKernelKills(path: string = KERNEL_LOG): Promise<string | null> {
  let file: number;
  try {
    file = await openKernelLog(path);
  } catch (error) {
    if (isForbidden(error)) return null;
    throw error;
  }
  try {
    let said = '';
    for await (const record of newRecords(file)) if (record.includes(SAID_OF_A_KILL)) said += record;
    return said;
  } catch (error) {
    if (isForbidden(error)) return null;
    throw error;
  } finally {
    await closeKernelLog(file);
  }
}

const FORBIDDEN: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM', 'ENOENT', 'ENXIO']);

function isForbidden(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FORBIDDEN.has(error.code);
}
