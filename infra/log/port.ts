import type { Commit } from '../../domain/commit.ts';

/** `zone-<id>` or `fleet`: the name of a log, the same for every store. */
export type LogName = string;

export const FLEET_LOG: LogName = 'fleet';

export function zoneLog(zone: string): LogName {
  return `zone-${zone}`;
}

/** A commit as it stands in the store, with the hash of its canonical bytes, which the next commit must name. */
export interface StoredCommit {
  readonly commit: Commit;
  readonly hash: string;
}

/**
 * The event log. Every store implements exactly this; one contract suite holds them to it. Adapters hold no policy: no
 * retries of appends, no caching of state.
 *
 * `append` writes one commit, all of it or nothing, when the log's last version is `expected` (0: the log is empty); the
 * commit's own version is `expected + 1`. It resolves when the commit is synced to disk, also when that very commit already
 * stands at its version (a retry after a lost reply).
 * Rejects with VersionConflict (the log is elsewhere: nothing written), OutcomeUnknown (the reply was lost: read to find
 * out), LogUnavailable (nothing written, try later), CommitTooLarge, InvalidCommit, InvalidLogName, or LogCorrupt.
 *
 * `read` yields the commits after version `after`, in order, up to the head at the time of the call, then ends.
 * `follow` yields them and then waits for more, through reconnects, without gap or duplicate, until `signal` aborts.
 * Behind a commit that holds a LogSealed the log goes on in its next epoch: versions and the chain go on, and neither
 * writers nor readers see a difference. Once a sealed epoch was moved offline, both throw HistoryOffline where they would
 * need it, which says behind which version the log can be read.
 *
 * Both verify the hash chain from the place they start and throw LogCorrupt, naming the version, at the first break, and
 * UnknownEvent at an event type or schema version that this build does not know.
 */
export interface EventLog {
  append(log: LogName, expected: number, commit: Commit): Promise<{ readonly hash: string }>;
  read(log: LogName, after: number): AsyncIterable<StoredCommit>;
  follow(log: LogName, after: number, signal: AbortSignal): AsyncIterable<StoredCommit>;
  close(): Promise<void>;
}
