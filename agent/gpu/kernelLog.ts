import { KERNEL_LOG, closeKernelLog, newRecords, openKernelLog } from '../kernelLog.ts';
import { parseKernelLog, type KernelMessage } from './kernelMessages.ts';

export type KernelNews =
  | { readonly kind: 'read'; readonly messages: readonly KernelMessage[] }
  | { readonly kind: 'unreadable'; readonly message: string };

/** Of what was read, the driver's own messages are kept, and of those the newest. */
const MOST_KEPT = 4_096;

/**
 * Makes a function that reads what the NVIDIA driver has said in the kernel's log since the last call; the first call reads
 * what the log still holds, all of which is of this boot. Once the log cannot be read, it is not tried again.
 */
export function kernelLog(path: string = KERNEL_LOG): () => Promise<KernelNews> {
  let file: number | null = null;
  let unreadable: KernelNews | null = null;
  return async () => {
    if (unreadable !== null) return unreadable;
    try {
      file ??= await openKernelLog(path);
      return { kind: 'read', messages: await newMessages(file) };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      unreadable = { kind: 'unreadable', message: `${path} cannot be read: ${why}` };
      if (file !== null) await closeKernelLog(file);
      return unreadable;
    }
  };
}

async function newMessages(file: number): Promise<readonly KernelMessage[]> {
  let said = '';
  for await (const record of newRecords(file)) if (record.includes('NVRM:')) said += record;
  return parseKernelLog(said).slice(-MOST_KEPT);
}
