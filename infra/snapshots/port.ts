import type { LogName } from '../log/port.ts';

/**
 * What a snapshot says of itself. `version` is the commit that it follows and `hash` that commit's; `stateSchema` and
 * `codeVersion` tell whether this build may use it. `sha256` is over its bytes, in hexadecimal; `at` is when it was
 * taken, ISO 8601 in UTC.
 */
export interface SnapshotInfo {
  readonly log: LogName;
  readonly logId: string;
  readonly version: number;
  readonly hash: string;
  readonly stateSchema: number;
  readonly codeVersion: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly at: string;
}

/**
 * Where the snapshots of logs are kept, one per log and version. A snapshot only saves time: whoever finds none that fits
 * reads the log. The store judges nothing but whether the bytes are the ones that were written.
 *
 * `list` names the whole snapshots of a log, the newest version first; what was just written is among them.
 * `read` gives the bytes, or null when they are gone or are not those of `info`: the caller then tries an older one.
 * `write` replaces what stands at that version, all of it or nothing, and resolves once it is on disk. It throws
 * RangeError when the bytes are not those of `info`.
 * `remove` also succeeds when there is nothing to remove.
 * All reject with LogError LOG_UNAVAILABLE while the store cannot be reached or is full, and INVALID_LOG_NAME.
 */
export interface SnapshotStore {
  list(log: LogName): Promise<readonly SnapshotInfo[]>;
  read(info: SnapshotInfo): Promise<Uint8Array | null>;
  write(info: SnapshotInfo, bytes: Uint8Array): Promise<void>;
  remove(info: SnapshotInfo): Promise<void>;
}
