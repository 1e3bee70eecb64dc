import type { Commit } from '../../domain/commit.ts';
import { encodeCommit } from '../../infra/log/codec.ts';
import type { MemoryStore } from '../../infra/log/memory.ts';
import type { LogName } from '../../infra/log/port.ts';

/** The disk of the simulated log, touched past every adapter: the only place that knows how it is laid out. */

export function bytesOf(store: MemoryStore, log: LogName): readonly Uint8Array[] {
  return store.get(log) ?? [];
}

/** What no adapter does: the commit goes to the end, whatever stands there. */
export function appendBlindly(store: MemoryStore, log: LogName, commit: Commit): string {
  const { bytes, hash } = encodeCommit(commit);
  const commits = store.get(log);
  if (commits === undefined) store.set(log, [bytes]);
  else commits.push(bytes);
  return hash;
}

/** As a backup of then: everything after the version is gone. */
export function cutBack(store: MemoryStore, log: LogName, version: number): void {
  store.get(log)?.splice(version);
}
