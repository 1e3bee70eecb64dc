import { formatPosition } from '../../../domain/commit.ts';
import { StoreError, isStreamDeleted } from '../../eventStore/errors.ts';
import { firstOf } from '../../eventStore/firstOf.ts';
import type { EventStore, StoredEvent } from '../../eventStore/port.ts';
import { HistoryOffline, LogError, LogErrorCode } from '../errors.ts';
import { endsCommit, placeOf, type Place } from './shape.ts';
import { FLEET_LOG, type LogName } from '../port.ts';
import { unavailable } from '../unavailable.ts';

/** The stream of a log: `zone-default`, whose category is `zone`; `fleet-main`. */
export function streamOf(log: LogName): string {
  return log === FLEET_LOG ? 'fleet-main' : log;
}

/** A log's stream as it stands: from its first event that is there to its last. */
export interface Reach {
  readonly first: Place;
  readonly last: StoredEvent;
}

/** Null: nothing was ever written. Throws LogError LOG_CORRUPT when what was written is gone, LOG_UNAVAILABLE, or StoreError. */
export async function reachOf(store: EventStore, log: LogName): Promise<Reach | null> {
  const stream = streamOf(log);
  const last = await firstOf(store.read(stream, { from: 'end', direction: 'backwards', limit: 1 }));
  const { truncateBefore, maxAgeSeconds, maxCount } = await store.limitsOf(stream);
  for (const [name, limit] of Object.entries({ $maxAge: maxAgeSeconds, $maxCount: maxCount })) {
    if (limit !== undefined) throw limited(log, name, limit);
  }
  if (last === null && truncateBefore === undefined) return null;
  if (last === null) throw gone(log);
  const first = await firstOf(store.read(stream, { from: 'start', direction: 'forwards', limit: 1 }));
  if (first === null) throw gone(log);
  return { first: placeIn(log, first), last };
}

/** The version behind which a log can be read: what is before was moved offline, perhaps in the middle of a commit. */
export function readableAfter({ version, index }: Place): number {
  return index === 0 ? version - 1 : version;
}

/**
 * The revision of the last event of commit `version`, or null when the log does not reach so far. Halves the stream until it
 * is found. Throws HistoryOffline when that commit, or what follows it, is not there any more.
 */
export async function endOfVersion(
  store: EventStore,
  log: LogName,
  version: number,
  reach: Reach,
): Promise<number | null> {
  const { first } = reach;
  const readable = readableAfter(first);
  if (version < readable) throw new HistoryOffline(log, version + 1, readable);
  if (version === readable && first.index === 0) return first.revision - 1;
  const last = placeIn(log, reach.last);
  let [low, high] = [first, last];
  if (last.version > version) {
    // Of `low` the version is at most the one that is looked for, of `high` it is more.
    while (high.revision - low.revision > 1) {
      const middle = await placeAt(store, log, Math.floor((low.revision + high.revision) / 2));
      if (middle.version > version) high = middle;
      else low = middle;
    }
  } else {
    low = last;
    await assertGrown(store, log, last, first);
  }
  if (low.version < version) return null;
  if (low.version === version && endsCommit(low)) return low.revision;
  const what = `commit ${version} ends in the middle: its event ${low.index} of ${low.count} is the last one`;
  throw new LogError(LogErrorCode.LogCorrupt, `${formatPosition(log, version)}: ${what}`);
}

/** The last event cannot be of an older commit than the one before it, unless somebody else wrote it. */
async function assertGrown(store: EventStore, log: LogName, last: Place, first: Place): Promise<void> {
  if (last.revision === first.revision) return;
  const before = await placeAt(store, log, last.revision - 1);
  if (before.version <= last.version) return;
  const what = `an event of commit ${last.version} stands behind commit ${before.version}`;
  throw new LogError(LogErrorCode.LogCorrupt, `${formatPosition(log, before.version + 1)}: ${what}`);
}

async function placeAt(store: EventStore, log: LogName, revision: number): Promise<Place> {
  const event = await firstOf(store.read(streamOf(log), { from: revision, direction: 'forwards', limit: 1 }));
  if (event?.revision === revision) return placeIn(log, event);
  throw new LogError(LogErrorCode.LogUnavailable, `${log}: event ${revision} was moved away just now; try again`);
}

function placeIn(log: LogName, event: StoredEvent): Place {
  try {
    return placeOf(event);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    throw new LogError(error.code, `${log}, event ${event.revision}: ${error.message}`, error);
  }
}

/** What a StoreError means for a log to which nothing was written by it. */
export function asLogError(log: LogName, error: unknown): unknown {
  if (isStreamDeleted(error)) return gone(log, error);
  return error instanceof StoreError ? unavailable(log, error) : error;
}

function gone(log: LogName, cause?: unknown): LogError {
  const message =
    `the stream ${streamOf(log)} was deleted in EventStoreDB, or truncated to nothing; it is not begun again. ` +
    'Restore it from a backup, or copy the log from elsewhere into a stream that was never used.';
  return new LogError(LogErrorCode.LogCorrupt, `${log}: ${message}`, cause);
}

function limited(log: LogName, name: string, limit: number): LogError {
  const message =
    `the stream ${streamOf(log)} has ${name} ${limit} in its metadata, so EventStoreDB throws events away. ` +
    `Remove it from the metadata; a log is kept whole.`;
  return new LogError(LogErrorCode.LogUnavailable, `${log}: ${message}`);
}
