import { formatPosition } from '../../domain/commit.ts';
import { pauseUnlessAborted } from '../bus/connect.ts';
import { CopyInterrupted, ahead, differing, offline, written, type CopyRefused } from './copyErrors.ts';
import {
  LogError,
  LogErrorCode,
  isHistoryOffline,
  isLogUnavailable,
  isOutcomeUnknown,
  isVersionConflict,
} from './errors.ts';
import type { EventLog, LogName, StoredCommit } from './port.ts';

export interface CopyOptions {
  readonly from: EventLog;
  readonly to: EventLog;
  readonly log: LogName;
  /** Called at every commit of every phase. */
  readonly onProgress?: (progress: CopyProgress) => void;
  /** Told why a commit was not taken yet; it is tried again. */
  readonly onWait?: (why: string) => void;
  /** Ends the copy between two commits. */
  readonly signal?: AbortSignal;
}

/** `comparing` what is there on both sides, `copying` what the target lacks, `checking` what was written. */
export interface CopyProgress {
  readonly phase: 'comparing' | 'copying' | 'checking';
  /** Commits of this phase, so far and in all; how many there are to compare is not known. */
  readonly commits: number;
  readonly allCommits: number | null;
  /** Events in those `commits`. */
  readonly events: number;
}

export interface CopyResult {
  readonly log: LogName;
  /** The target's last version before and after: 0 for an empty log. */
  readonly from: number;
  readonly to: number;
  /** How many were written by this copy. */
  readonly commits: number;
  readonly events: number;
  /** Of the commit `to`, the same on both sides, which proves all before it; null for an empty log. */
  readonly hash: string | null;
}

/** How often a commit is tried while the target does not take it, and how long to wait in between. */
const ATTEMPTS = 120;
const RETRY_MS = 500;

/**
 * Copies a log as it is, commit by commit and byte for byte, up to where the source ends now. First both are read whole:
 * either one's chain of hashes must hold, and what the target has must be a beginning of the source. Then what is missing is
 * written behind it, each commit at its version, so that whoever else writes there is noticed and nothing is overwritten. Last,
 * what was written is read again: its chain must hold and end with the source's hash. A copy that was cut off is
 * finished by the next one, which finds where the target ends by itself.
 *
 * Rejects with CopyRefused, CopyInterrupted, or a LogError that says which of the two it is about.
 */
export async function copyLog(options: CopyOptions): Promise<CopyResult> {
  const { log } = options;
  const survey = await compared(options);
  const { standing, head } = survey;
  const [from, to] = [standing?.version ?? 0, head?.version ?? 0];
  if (head === null || from === to) return { log, from, to, commits: 0, events: 0, hash: head?.hash ?? null };
  const events = await copied(options, { from, to, anchor: standing?.hash ?? '', hash: head.hash });
  await checked(options, { from, to, anchor: standing?.hash ?? '', hash: head.hash });
  return { log, from, to, commits: to - from, events, hash: head.hash };
}

interface Place {
  readonly version: number;
  readonly hash: string;
}

/** Where the target and the source end; null where there is nothing yet. */
interface Survey {
  readonly standing: Place | null;
  readonly head: Place | null;
}

/** The commits behind `from` up to `to`: the first one names `anchor`, the last one has `hash`. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly anchor: string;
  readonly hash: string;
}

async function compared(options: CopyOptions): Promise<Survey> {
  const { from, to, log } = options;
  const target = of('target', log, to.read(log, 0));
  const count = counting(options, 'comparing', null);
  let [standing, head]: [Place | null, Place | null] = [null, null];
  let difference: CopyRefused | null = null;
  try {
    // Before the source: what another copy brings to the target meanwhile, the source has had by then.
    let next = await target.next();
    for await (const stored of of('source', log, from.read(log, 0))) {
      assertGoingOn(options, null);
      head = placeOf(stored);
      count(stored);
      if (next.done === true) continue;
      if (next.value.hash !== stored.hash) difference ??= differing(log, stored, next.value);
      standing = head;
      next = await target.next();
    }
    if (next.done !== true) difference ??= ahead(log, head?.version ?? 0);
    // To the end, also of what differs: a chain that does not hold says more than that.
    while (next.done !== true) next = await target.next();
    if (difference !== null) throw difference;
    return { standing, head };
  } finally {
    await target.return(undefined);
  }
}

/** Gives the number of events. */
async function copied(options: CopyOptions, stretch: Stretch): Promise<number> {
  const { from, log } = options;
  const count = counting(options, 'copying', stretch.to - stretch.from);
  let events = 0;
  for await (const stored of along('source', log, from, stretch)) {
    assertGoingOn(options, stored.commit.version - 1);
    await append(options, stored);
    count(stored);
    events += stored.commit.events.length;
  }
  return events;
}

async function checked(options: CopyOptions, stretch: Stretch): Promise<void> {
  const { to, log } = options;
  const count = counting(options, 'checking', stretch.to - stretch.from);
  for await (const stored of along('target', log, to, stretch)) {
    assertGoingOn(options, stretch.to);
    count(stored);
  }
}

/** Resolves once the commit stands in the target, for as long as waiting may help. */
async function append(options: CopyOptions, { commit, hash }: StoredCommit): Promise<void> {
  const { to, log, signal, onWait } = options;
  const expected = commit.version - 1;
  for (let left = ATTEMPTS; ; left -= 1) {
    assertGoingOn(options, expected);
    try {
      const stands = await to.append(log, expected, commit);
      if (stands.hash === hash) return;
      throw corrupt(log, commit.version, 'the target did not take it as it is in the source');
    } catch (error) {
      if (isVersionConflict(error)) throw await instead(options, commit.version, error);
      // Whatever became of it: the very same commit is written once, however often it is tried.
      const mayPass = isOutcomeUnknown(error) || isLogUnavailable(error);
      if (!mayPass || left <= 1) throw about('target', log, error);
      onWait?.(error instanceof Error ? error.message : String(error));
    }
    await pauseUnlessAborted(RETRY_MS, signal);
  }
}

/** Why a commit could not become `version` of the target: by the contract, it does not stand there itself. */
async function instead({ to, log }: CopyOptions, version: number, cause: unknown): Promise<Error> {
  for await (const standing of of('target', log, to.read(log, version - 1))) {
    return written(log, standing.commit.version, cause);
  }
  return corrupt(log, version - 1, 'the target is shorter than it was a moment ago');
}

/** A stretch of a log, of which it is known how it begins and ends. Throws LogError LOG_CORRUPT when it does not. */
async function* along(side: Side, log: LogName, eventLog: EventLog, stretch: Stretch): AsyncGenerator<StoredCommit> {
  let before = stretch.anchor;
  for await (const stored of of(side, log, eventLog.read(log, stretch.from))) {
    const { version, previousHash } = stored.commit;
    const isLast = version === stretch.to;
    if (previousHash !== before || (isLast && stored.hash !== stretch.hash)) {
      throw corrupt(log, version, `the ${side} is not what it was a moment ago`);
    }
    before = stored.hash;
    yield stored;
    if (isLast) return;
  }
  throw corrupt(log, stretch.to, `the ${side} is shorter than it was a moment ago`);
}

type Side = 'source' | 'target';

/** The same commits; what goes wrong says on which side. */
async function* of(side: Side, log: LogName, commits: AsyncIterable<StoredCommit>): AsyncGenerator<StoredCommit> {
  try {
    yield* commits;
  } catch (error) {
    throw about(side, log, error);
  }
}

function about(side: Side, log: LogName, error: unknown): unknown {
  if (isHistoryOffline(error)) return offline(side, log, error.readableAfter, error);
  return error instanceof LogError ? new LogError(error.code, `the ${side}: ${error.message}`, error) : error;
}

function corrupt(log: LogName, version: number, what: string): LogError {
  return new LogError(LogErrorCode.LogCorrupt, `${formatPosition(log, version)}: ${what}`);
}

function placeOf({ commit, hash }: StoredCommit): Place {
  return { version: commit.version, hash };
}

/** Tells of each commit that it is called with. */
function counting(
  { onProgress }: CopyOptions,
  phase: CopyProgress['phase'],
  allCommits: number | null,
): (stored: StoredCommit) => void {
  let [commits, events] = [0, 0];
  return ({ commit }) => {
    commits += 1;
    events += commit.events.length;
    onProgress?.({ phase, commits, allCommits, events });
  };
}

function assertGoingOn({ signal, log }: CopyOptions, reached: number | null): void {
  if (signal?.aborted === true) throw new CopyInterrupted(log, reached);
}
