import { close, constants, open, read } from 'node:fs';
import { promisify } from 'node:util';

/**
 * The kernel's log, one record after another and never waiting for news. It holds what was said since the host started, as
 * far as its ring reaches, and to read it takes root or CAP_SYSLOG. A plain file descriptor, because some readers keep theirs.
 */
export const KERNEL_LOG = '/dev/kmsg';

const openFile = promisify(open);
const readFile = promisify(read);
export const closeKernelLog = promisify(close);

/** Longer than any record; a shorter buffer is refused. */
const BUFFER_BYTES = 16_384;
/** More than the largest log holds in common configurations; what is left is read the next time. */
const MOST_RECORDS = 20_000;

/** Rejects with the system's error where it may not be read. The first read gives the oldest record that is left. */
export async function openKernelLog(path: string = KERNEL_LOG): Promise<number> {
  return await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

/** What was said since the last record that was read from this descriptor, such as `6,9968,5756839562,-;text`. */
export async function* newRecords(file: number): AsyncGenerator<string> {
  const buffer = Buffer.alloc(BUFFER_BYTES);
  for (let records = 0; records < MOST_RECORDS; records += 1) {
    const record = await nextRecord(file, buffer);
    if (record === null) return;
    yield record;
  }
}

/** Null: nothing new. The kernel hands out one record at a time. */
async function nextRecord(file: number, buffer: Buffer): Promise<string | null> {
  try {
    const { bytesRead } = await readFile(file, buffer, 0, buffer.length, null);
    return bytesRead === 0 ? null : buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    switch (error instanceof Error && 'code' in error ? error.code : '') {
      case 'EAGAIN':
        return null;
      // The records that came next were overwritten; the next read goes on with the oldest that is left.
      case 'EPIPE':
        return '';
      default:
        throw error;
    }
  }
}
