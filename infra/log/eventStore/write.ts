import { StoreError, isStreamDeleted, isTooLarge, isWriteInDoubt, isWrongRevision } from '../../eventStore/errors.ts';
import type { EventStore, StoredEvent } from '../../eventStore/port.ts';
import { hashOf, type EncodedCommit } from '../codec.ts';
import { LogError, LogErrorCode, isHistoryOffline } from '../errors.ts';
import { bytesOfCommit, eventsOfCommit } from './shape.ts';
import { asLogError, endOfVersion, reachOf, streamOf } from './stream.ts';
import type { LogName } from '../port.ts';

/** A commit on its way: it becomes version `expected + 1` or nothing. */
export interface Pending extends EncodedCommit {
  readonly log: LogName;
  readonly expected: number;
}

interface Tail {
  readonly version: number;
  /** Of its last event; null before the first commit. */
  readonly revision: number | null;
}

/** Writes the commits of all logs. Remembers where each one ended, which saves a look before the next append. */
export class EventStoreWriter {
  readonly #store: EventStore;
  readonly #tails = new Map<LogName, Tail>();

  constructor(store: EventStore) {
    this.#store = store;
  }

  /** Resolves once the commit stands at its version. Rejects with the LogErrors of `append`. */
  async write(pending: Pending): Promise<void> {
    const { log, expected } = pending;
    const tail = this.#tails.get(log);
    const behind = tail?.version === expected ? tail : await this.#lookUp(pending);
    // Only our own commit, which is written already, can stand behind another one that the log has.
    if (behind === null) return;
    const events = eventsOfCommit(log, pending);
    const end = (behind.revision ?? -1) + events.length;
    try {
      const revision = await this.#store.append(streamOf(log), behind.revision, events);
      if (revision !== end) throw misplaced(pending, end, revision);
    } catch (error) {
      this.#tails.delete(log);
      if (!isWrongRevision(error)) throw failure(pending, error);
      if (!(await this.#isOurs(pending, behind.revision))) throw versionConflict(pending, error);
    }
    this.#tails.set(log, { version: expected + 1, revision: end });
  }

  /** Where the log ends, when that is at the expected version; null: our very commit stands behind it. */
  async #lookUp(pending: Pending): Promise<Tail | null> {
    const { log, expected } = pending;
    try {
      const reach = await reachOf(this.#store, log);
      if (reach === null && expected === 0) return { version: 0, revision: null };
      if (reach === null) throw versionConflict(pending);
      const revision = await endOfVersion(this.#store, log, expected, reach);
      if (revision === null) throw versionConflict(pending);
      if (revision === reach.last.revision) return { version: expected, revision };
      if (await this.#isOurs(pending, revision < 0 ? null : revision)) return null;
      throw versionConflict(pending);
    } catch (error) {
      throw isHistoryOffline(error) ? versionConflict(pending, error) : asLogError(log, error);
    }
  }

  /** Whether our very commit stands behind a revision: an earlier answer may have been lost. */
  async #isOurs(pending: Pending, revision: number | null): Promise<boolean> {
    const { log, hash } = pending;
    const limit = eventsOfCommit(log, pending).length;
    const range = { from: (revision ?? -1) + 1, direction: 'forwards', limit } as const;
    const standing: StoredEvent[] = [];
    try {
      for await (const event of this.#store.read(streamOf(log), range)) standing.push(event);
      return standing.length === limit && hashOf(bytesOfCommit(standing)) === hash;
    } catch (error) {
      if (error instanceof LogError && error.code === LogErrorCode.LogCorrupt) return false;
      const message = `${log}: a conflict, and the log cannot be read to settle it`;
      throw new LogError(LogErrorCode.OutcomeUnknown, message, error);
    }
  }
}

/** What the store's refusal of our append means, when it is not a conflict. */
function failure({ log, expected }: Pending, error: unknown): unknown {
  if (!(error instanceof StoreError) || isStreamDeleted(error)) return asLogError(log, error);
  if (isTooLarge(error)) {
    const message = `the commit is larger than EventStoreDB takes (its setting MaxAppendSize): ${error.message}`;
    return new LogError(LogErrorCode.CommitTooLarge, message, error);
  }
  if (!isWriteInDoubt(error)) return asLogError(log, error);
  const message = `no answer from the log ${log} for commit ${expected + 1}: ${error.message}`;
  return new LogError(LogErrorCode.OutcomeUnknown, message, error);
}

function versionConflict({ log, expected }: Pending, cause?: unknown): LogError {
  return new LogError(LogErrorCode.VersionConflict, `${log} is not at version ${expected}`, cause);
}

function misplaced({ log, expected }: Pending, end: number, revision: number): LogError {
  const message = `${log}: commit ${expected + 1} ends at revision ${revision}, not at ${end}`;
  return new LogError(LogErrorCode.LogCorrupt, message);
}
