import type { Commit } from '../../domain/commit.ts';
import { LogError, LogErrorCode, isLogUnavailable, isOutcomeUnknown } from '../../infra/log/errors.ts';
import type { EventLog, LogName, StoredCommit } from '../../infra/log/port.ts';
import { someCommit } from './commits.ts';
import { until } from './until.ts';

/** What tests do with an event log, whichever it is. */

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export async function appendMany(
  log: EventLog,
  name: LogName,
  count: number,
  previous: StoredCommit | null = null,
): Promise<StoredCommit[]> {
  const written: StoredCommit[] = [];
  let head = previous;
  for (let step = 0; step < count; step += 1) {
    const version: number = head?.commit.version ?? 0;
    const commit = someCommit(head, `${name}-${version + 1}`);
    head = { commit, ...(await log.append(name, version, commit)) };
    written.push(head);
  }
  return written;
}

export async function versions(log: EventLog, name: LogName, after = 0): Promise<number[]> {
  return (await collect(log.read(name, after))).map(({ commit }) => commit.version);
}

export async function last(log: EventLog, name: LogName): Promise<StoredCommit | null> {
  return (await collect(log.read(name, 0))).at(-1) ?? null;
}

export async function readUntilError(
  commits: AsyncIterable<StoredCommit>,
): Promise<{ seen: StoredCommit[]; error: unknown }> {
  const seen: StoredCommit[] = [];
  try {
    for await (const stored of commits) seen.push(stored);
    return { seen, error: null };
  } catch (error) {
    return { seen, error };
  }
}

export interface Follower {
  readonly seen: readonly StoredCommit[];
  /** Resolves once this version was seen; rejects when following fails first. */
  reached(version: number): Promise<void>;
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export function startFollowing(log: EventLog, name: LogName, after: number): Follower {
  const seen: StoredCommit[] = [];
  const abort = new AbortController();
  const waiting = new Map<number, () => void>();
  const ended = (async () => {
    for await (const stored of log.follow(name, after, abort.signal)) {
      seen.push(stored);
      waiting.get(stored.commit.version)?.();
    }
  })();
  return {
    seen,
    ended,
    async reached(version) {
      if (seen.some(({ commit }) => commit.version === version)) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(version, resolve);
      await Promise.race([promise, ended]);
    },
    async stop() {
      abort.abort();
      await ended;
    },
  };
}

/** The same log, over a line that loses every answer to an append. */
export function losingReplies(log: EventLog): EventLog {
  return {
    ...log,
    async append(name, expected, commit) {
      await log.append(name, expected, commit);
      throw new LogError(LogErrorCode.OutcomeUnknown, 'the answer was lost');
    },
  };
}

export function jsonBytes(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

type Outcome =
  | { readonly kind: 'written'; readonly hash: string }
  | { readonly kind: 'refused'; readonly error: unknown }
  | { readonly kind: 'later'; readonly why: string };

/**
 * The hash under which it is written, or the refusal. "Try later" and "nobody knows" are neither: the very same commit is
 * tried again, which is safe in both cases.
 */
export async function decided(log: EventLog, name: LogName, expected: number, commit: Commit): Promise<string> {
  async function attempt(): Promise<Outcome> {
    try {
      return { kind: 'written', ...(await log.append(name, expected, commit)) };
    } catch (error) {
      const later = isLogUnavailable(error) || isOutcomeUnknown(error);
      return later ? { kind: 'later', why: String(error) } : { kind: 'refused', error };
    }
  }
  const outcome = await until('an outcome of an append', attempt, ({ kind }) => kind !== 'later');
  if (outcome.kind === 'written') return outcome.hash;
  throw outcome.kind === 'refused' ? outcome.error : new Error(outcome.why);
}

export function hashesOf(commits: readonly StoredCommit[]): readonly string[] {
  return commits.map(({ hash }) => hash);
}
