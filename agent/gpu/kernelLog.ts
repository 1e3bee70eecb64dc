import { close, constants, open, read } from 'node:fs';
import { promisify } from 'node:util';
import { parseKernelLog, type KernelMessage } from './kernelMessages.ts';

export type KernelNews =
  | { readonly kind: 'read'; readonly messages: readonly KernelMessage[] }
  | { readonly kind: 'unreadable'; readonly message: string };

const openFile = promisify(open);
const readFile = promisify(read);
const closeFile = promisify(close);

/** Longer than any record; a shorter buffer is refused. */
const BUFFER_BYTES = 16_384;
/** More than the largest log holds in common configurations; what is left is read at the next call. */
const MOST_RECORDS = 20_000;
/** Of what was read, the driver's own messages are kept, and of those the newest. */
const MOST_KEPT = 4_096;

/**
 * Makes a function that reads what the NVIDIA driver has said in the kernel's log since the last call; the first call reads
 * what the log still holds, all of which is of this boot. It never waits for news. Once the log cannot be read (it takes root,
 * or CAP_SYSLOG), it is not tried again.
 */
export function kernelLog(path = '/dev/kmsg'): () => Promise<KernelNews> {
  let file: number | null = null;
  let unreadable: KernelNews | null = null;
  const buffer = Buffer.alloc(BUFFER_BYTES);
  return async () => {
    if (unreadable !== null) return unreadable;
    try {
      file ??= await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
      return { kind: 'read', messages: await newMessages(file, buffer) };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      unreadable = { kind: 'unreadable', message: `${path} cannot be read: ${why}` };
      if (file !== null) await closeFile(file);
      return unreadable;
    }
  };
}

async function newMessages(file: number, buffer: Buffer): Promise<readonly KernelMessage[]> {
  let said = '';
  for (let records = 0; records < MOST_RECORDS; records += 1) {
    const record = await nextRecord(file, buffer);
    if (record === null) break;
    if (record.includes('NVRM:')) said += record;
  }
  return parseKernelLog(said).slice(-MOST_KEPT);
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
