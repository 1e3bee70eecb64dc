/** One message of the kernel's log; `microseconds` since the host started. */
export type KernelMessage = { readonly microseconds: number; readonly text: string };

/** A record of /dev/kmsg: `6,9968,5756839562,-;text`, then lines about it that begin with a space. */
const RECORD = /^\d+,\d+,(\d+),[^;]*;(.*)$/;

/** Every line that begins a record; the others belong to one, or are none. */
export function parseKernelLog(records: string): readonly KernelMessage[] {
  return records.split('\n').flatMap((line) => {
    const [, microseconds, text] = RECORD.exec(line) ?? [];
    return text === undefined ? [] : [{ microseconds: Number(microseconds), text }];
  });
}
