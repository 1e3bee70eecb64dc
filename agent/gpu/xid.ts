import type { KernelMessage } from './kernelMessages.ts';
import { pciKey } from './pciAddress.ts';

/** An error that the driver reported of a device: NVIDIA's number for it, and when it was last seen (ms since 1970). */
export type Xid = { readonly code: number; readonly at: number };

/** By PCI key, each code once, the newest last. Of this boot of the host and this load of the driver. */
export type XidBook = ReadonlyMap<string, readonly Xid[]>;

export const NO_XIDS: XidBook = new Map();

const XID = /^NVRM: Xid \((?:PCI:)?([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}(?:\.[0-9a-f])?)[^)]*\): (\d{1,4})\b/i;
/** The driver says so when it is loaded; what devices suffered under the one before is over. */
const DRIVER_LOADED = /^NVRM: loading NVIDIA UNIX/;
const MOST_DEVICES = 256;
const MOST_CODES = 64;

/** The device and the code in a message of the kernel; null when it tells of none. */
export function xidIn(text: string): { readonly pci: string; readonly code: number } | null {
  const [, address, code] = XID.exec(text) ?? [];
  const pci = pciKey(address ?? '');
  return pci === null ? null : { pci, code: Number(code) };
}

/** `bootedAt`: when the host started, in ms since 1970. */
export function foldXids(before: XidBook, messages: readonly KernelMessage[], bootedAt: number): XidBook {
  if (messages.length === 0) return before;
  let book = new Map(before);
  for (const { text, microseconds } of messages) {
    if (DRIVER_LOADED.test(text)) book = new Map();
    const found = xidIn(text);
    if (found === null) continue;
    const xid = { code: found.code, at: Math.round(bootedAt + microseconds / 1_000) };
    const others = (book.get(found.pci) ?? []).filter(({ code }) => code !== xid.code);
    if (book.size < MOST_DEVICES || book.has(found.pci)) book.set(found.pci, [...others, xid].slice(-MOST_CODES));
  }
  return book;
}
