import { constants, open } from 'node:fs/promises';

/**
 * What the kernel says of processes that it killed because memory ran out. A container engine hears of such kills only
 * from a moment after a container's start, so of one that is killed at once it says nothing; and nothing of any that had
 * to go because the whole host ran out of memory. The kernel itself leaves none out (it limits a flood of them).
 */
const KERNEL_LOG = '/dev/kmsg';
const RECORD_BYTES = 8_192;
/** More than any kernel keeps. */
const MOST_RECORDS = 100_000;
/** A control group is named after its container: `/docker/<id>`, `/system.slice/docker-<id>.scope` and the like. */
const KILL = /oom-kill:constraint=\S*task_memcg=[^,]*?([0-9a-f]{64})/g;

/** The containers that had a process killed. */
export function containersOutOfMemory(kernelLog: string): ReadonlySet<string> {
  return new Set([...kernelLog.matchAll(KILL)].flatMap(([, containerId]) => containerId ?? []));
}

/** All that the kernel still knows; null where this process may not read it. */
export async function readKernelLog(path: string = KERNEL_LOG): Promise<string | null> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return await allRecords((buffer) => file.read(buffer));
  } catch (error) {
    if (hasCode(error, ['EACCES', 'EPERM', 'ENOENT', 'ENXIO'])) return null;
    throw error;
  }
}

/** Every read gives one record. At the end there is nothing to wait for; a record that was overwritten meanwhile is skipped. */
async function allRecords(read: (buffer: Buffer) => Promise<{ readonly bytesRead: number }>): Promise<string> {
  const buffer = Buffer.alloc(RECORD_BYTES);
  const records: string[] = [];
  while (records.length < MOST_RECORDS) {
    try {
      const { bytesRead } = await read(buffer);
      if (bytesRead === 0) break;
      records.push(buffer.toString('utf8', 0, bytesRead));
    } catch (error) {
      if (hasCode(error, ['EAGAIN'])) break;
      if (!hasCode(error, ['EPIPE'])) throw error;
    }
  }
  return records.join('');
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
