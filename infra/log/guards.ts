import type { Commit } from '../../domain/commit.ts';
import { isLogName } from '../names.ts';
import { LogError, LogErrorCode } from './errors.ts';
import type { LogName } from './port.ts';

/** The largest commit in bytes, the same for every store: what fits into a bus message of the default 1 MiB with headers. */
export const COMMIT_BYTES_LIMIT = 1_000_000;

/** What every adapter refuses before it touches its store. */

export function checkedLog(log: LogName): LogName {
  if (isLogName(log)) return log;
  throw new LogError(LogErrorCode.InvalidLogName, `"${log}" is not the name of a log: "fleet" or "zone-<id>"`);
}

export function assertAppendable(expected: number, commit: Commit): void {
  if (commit.version === expected + 1) return;
  const message = `the commit says version ${commit.version} but would become ${expected + 1}`;
  throw new LogError(LogErrorCode.InvalidCommit, message);
}

export function assertFits(bytes: Uint8Array, limitBytes = COMMIT_BYTES_LIMIT): void {
  if (bytes.length <= limitBytes) return;
  const message = `the commit has ${bytes.length} bytes; a commit may have ${limitBytes}`;
  throw new LogError(LogErrorCode.CommitTooLarge, message);
}
