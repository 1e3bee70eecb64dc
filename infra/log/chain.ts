import { formatPosition } from '../../domain/commit.ts';
import { decodeCommit } from './codec.ts';
import { LogError, LogErrorCode } from './errors.ts';
import type { LogName, StoredCommit } from './port.ts';

/**
 * A reader's walk along one log from version `after`: each commit must have the next version, the same logId and the hash
 * of the one before. Where the walk starts in the middle the first commit is the anchor, and the caller compares its
 * `previousHash` with the hash it kept.
 */
export class ChainWalk {
  readonly #log: LogName;
  #version: number;
  #last: StoredCommit | null = null;

  constructor(log: LogName, after: number) {
    this.#log = log;
    this.#version = after;
  }

  /** The version of the last commit that was accepted. */
  get version(): number {
    return this.#version;
  }

  /** The commit in `bytes`, when it continues the chain. Throws LogError LOG_CORRUPT or UNKNOWN_EVENT, naming the position. */
  accept(bytes: Uint8Array): StoredCommit {
    const next = this.#decode(bytes);
    const { version, logId, previousHash } = next.commit;
    const expected = this.#version + 1;
    if (version !== expected) throw this.#broken(expected, `a commit says that it is version ${version}`);
    if (this.#last !== null && this.#last.commit.logId !== logId) {
      throw this.#broken(expected, `logId changes from ${this.#last.commit.logId} to ${logId}`);
    }
    const wanted = this.#last?.hash ?? (expected === 1 ? '' : previousHash);
    if (previousHash !== wanted) {
      throw this.#broken(expected, 'the commit does not name the hash of the one before');
    }
    this.#last = next;
    this.#version = version;
    return next;
  }

  #decode(bytes: Uint8Array): StoredCommit {
    try {
      return decodeCommit(bytes);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      throw new LogError(error.code, `${formatPosition(this.#log, this.#version + 1)}: ${error.message}`, error);
    }
  }

  #broken(version: number, what: string): LogError {
    return new LogError(LogErrorCode.LogCorrupt, `${formatPosition(this.#log, version)}: ${what}`);
  }
}
