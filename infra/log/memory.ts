import { ChainWalk } from './chain.ts';
import { encodeCommit, hashOf } from './codec.ts';
import { HistoryOffline, LogError, LogErrorCode } from './errors.ts';
import { assertAppendable, assertFits, checkedLog } from './guards.ts';
import type { EventLog, LogName, StoredCommit } from './port.ts';

/**
 * The bytes of every commit of every log, in order. Whoever holds it has the whole store. An epoch that was moved offline
 * is a hole: its commits are deleted from the array, and those behind it keep their places.
 */
export type MemoryStore = Map<LogName, Uint8Array[]>;

/**
 * The reference event log, and the simulator's: commits as encoded bytes in arrays, without clock, timer or randomness.
 * Given a `store` it continues that one, as a restarted process continues its disk.
 */
export function createMemoryLog(store: MemoryStore = new Map()): EventLog {
  const waiting = followersOf(store);
  let closed = false;

  function commitsOf(log: LogName): Uint8Array[] {
    const known = store.get(checkedLog(log));
    if (known !== undefined) return known;
    const fresh: Uint8Array[] = [];
    store.set(log, fresh);
    return fresh;
  }

  function assertOpen(): void {
    if (closed) throw new LogError(LogErrorCode.LogUnavailable, 'this event log has been closed');
  }

  function wakeAll(): void {
    const woken = [...waiting];
    waiting.clear();
    for (const wake of woken) wake();
  }

  return {
    async append(log, expected, commit) {
      assertOpen();
      const commits = commitsOf(log);
      assertAppendable(expected, commit);
      const { bytes, hash } = encodeCommit(commit);
      assertFits(bytes);
      const standing = commits[expected];
      // This very commit again, after its answer was lost: it is written, so say so.
      if (standing !== undefined && hashOf(standing) === hash) return { hash };
      if (commits.length !== expected) {
        throw new LogError(LogErrorCode.VersionConflict, `${log} is at ${commits.length}, not at ${expected}`);
      }
      commits.push(bytes);
      wakeAll();
      return { hash };
    },

    async *read(log, after) {
      assertOpen();
      const commits = commitsOf(log);
      const walk = new ChainWalk(log, after);
      for (const bytes of wholeBehind(log, commits, after)) yield walk.accept(bytes);
    },

    async *follow(log, after, signal): AsyncGenerator<StoredCommit> {
      const commits = commitsOf(log);
      const walk = new ChainWalk(log, after);
      wholeBehind(log, commits, after);
      while (!signal.aborted) {
        assertOpen();
        const bytes = commits[walk.version];
        if (bytes !== undefined) yield walk.accept(bytes);
        else if (walk.version >= commits.length) await changeOrAbort(waiting, signal);
        else wholeBehind(log, commits, walk.version);
      }
    },

    async close() {
      closed = true;
      wakeAll();
    },
  };
}

/** Who waits for the next change of a store, whichever log on it makes it. */
const followers = new WeakMap<MemoryStore, Set<() => void>>();

function followersOf(store: MemoryStore): Set<() => void> {
  const known = followers.get(store);
  if (known !== undefined) return known;
  const fresh = new Set<() => void>();
  followers.set(store, fresh);
  return fresh;
}

/** The commits behind a version as they are now. Throws HistoryOffline when some of them are not there any more. */
function wholeBehind(log: LogName, commits: readonly Uint8Array[], version: number): readonly Uint8Array[] {
  const behind = commits.slice(version);
  const gap = behind.findLastIndex((bytes) => bytes === undefined);
  if (gap >= 0) throw new HistoryOffline(log, version + 1, version + gap + 1);
  return behind;
}

/** Resolves at the next change of the store or when `signal` aborts. */
async function changeOrAbort(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => resolve();
  waiting.add(wake);
  signal.addEventListener('abort', wake, { once: true });
  await promise;
  waiting.delete(wake);
  signal.removeEventListener('abort', wake);
}
