import { hash } from 'node:crypto';
import { formatPosition } from '../../domain/commit.ts';
import { checkedLog } from '../log/guards.ts';
import type { SnapshotInfo, SnapshotStore } from './port.ts';

/** Every snapshot by its position. Whoever holds it has the whole store. */
export type MemorySnapshots = Map<string, { readonly info: SnapshotInfo; readonly bytes: Uint8Array }>;

/** The reference snapshot store, and the simulator's: without clock, timer or randomness. */
export function createMemorySnapshots(store: MemorySnapshots = new Map()): SnapshotStore {
  return {
    async list(log) {
      checkedLog(log);
      return [...store.values()]
        .map(({ info }) => info)
        .filter((info) => info.log === log)
        .toSorted((a, b) => b.version - a.version);
    },

    async read(info) {
      const bytes = store.get(keyOf(info))?.bytes;
      return bytes !== undefined && isOf(bytes, info) ? bytes : null;
    },

    async write(info, bytes) {
      const key = keyOf(info);
      if (!isOf(bytes, info)) throw new RangeError(`the bytes of the snapshot ${key} are not those of its description`);
      // The caller's array may be reused; what is stored may not change.
      store.set(key, { info, bytes: bytes.slice() });
    },

    async remove(info) {
      if (store.get(keyOf(info))?.info.sha256 === info.sha256) store.delete(keyOf(info));
    },
  };
}

function keyOf({ log, version }: SnapshotInfo): string {
  return formatPosition(checkedLog(log), version);
}

function isOf(bytes: Uint8Array, info: SnapshotInfo): boolean {
  return bytes.length === info.bytes && hash('sha256', bytes, 'hex') === info.sha256;
}
