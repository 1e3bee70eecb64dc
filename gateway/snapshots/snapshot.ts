import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { isoTime, type Clock } from '../../infra/clock.ts';
import { isHistoryOffline } from '../../infra/log/errors.ts';
import type { EventLog, LogName, StoredCommit } from '../../infra/log/port.ts';
import type { SnapshotInfo, SnapshotStore } from '../../infra/snapshots/port.ts';
import { LogFold, type Folded, type FoldRules, type Head, type Projection } from '../controller/logFold.ts';
import packageFile from '../../package.json' with { type: 'json' };

/**
 * Raised whenever the shape of what is folded changes (states, command memory, session records): a snapshot of another
 * shape is not read. A test holds the shape that the recorded log folds to against this number.
 */
export const STATE_SCHEMA = 7;
/** So many are kept of each log: when the newest does not fit, an older one may. */
const KEPT = 3;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

export interface SnapshotPorts<State, View extends Projection<State>> {
  readonly log: LogName;
  readonly eventLog: EventLog;
  readonly store: SnapshotStore;
  readonly rules: FoldRules<State, View>;
  readonly clock: Clock;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
  /** What is newer is left out; every one counts unless said. */
  readonly upTo?: number;
}

/**
 * The newest snapshot that fits this build and stands on the log as it is, unpacked; null when there is none. One that does
 * not fit is left out with a word why, and the next older one is tried: a snapshot saves time and decides nothing.
 */
export async function restoreNewest<State, View extends Projection<State>>(
  ports: SnapshotPorts<State, View>,
): Promise<Folded<View> | null> {
  const { log, store, onTrouble, upTo = Infinity } = ports;
  let infos: readonly SnapshotInfo[];
  try {
    infos = await store.list(log);
  } catch (error) {
    onTrouble(`the snapshots of ${log} cannot be listed; its log is read from the beginning`, error);
    return null;
  }
  for (const info of infos) {
    if (info.version > upTo) continue;
    try {
      return await restore(ports, info);
    } catch (error) {
      onTrouble(`the snapshot of ${log} at version ${info.version} is left out`, error);
    }
  }
  return null;
}

/**
 * Folds the log from the newest snapshot to its head and stores what comes out, then removes what is older than the
 * newest few. Reads the log by itself, so it can run beside a gateway, in another thread. The version of the snapshot, or
 * null when there is nothing newer than the last one.
 */
export async function writeSnapshot<State, View extends Projection<State>>(
  ports: SnapshotPorts<State, View>,
): Promise<number | null> {
  const { log, eventLog, store, rules, clock } = ports;
  const from = await restoreNewest(ports);
  const before = from?.head?.commit.version ?? 0;
  const fold: LogFold<State, View> = new LogFold({
    log,
    eventLog,
    rules,
    from,
    onCommit: () => rules.forgetTouched(fold.view),
  });
  await fold.catchUp();
  const { head } = fold;
  if (head === null || fold.version === before) return null;
  const bytes = await compress(serialize(fold.folded));
  const sha256 = hash('sha256', bytes, 'hex');
  const info = { ...describe(log, head), sha256, bytes: bytes.length, at: isoTime(clock.now()) };
  await store.write(info, bytes);
  for (const old of (await store.list(log)).slice(KEPT)) await store.remove(old);
  return fold.version;
}

async function restore<State, View extends Projection<State>>(
  { log, eventLog, store }: SnapshotPorts<State, View>,
  info: SnapshotInfo,
): Promise<Folded<View>> {
  if (info.stateSchema !== STATE_SCHEMA || !(await mayBeOfVersion(eventLog, info))) {
    throw new Error(`it was taken by Muster ${info.codeVersion} with state schema ${info.stateSchema}`);
  }
  const bytes = await store.read(info);
  if (bytes === null) throw new Error('its bytes are gone or damaged');
  await assertStandsOnLog(eventLog, info);
  const folded = deserialize(await decompress(bytes)) as Folded<View>;
  const { head } = folded;
  const consistent =
    head?.hash === info.hash && head.commit.version === info.version && head.commit.logId === info.logId;
  if (!consistent) throw new Error('what it holds is not what it says of itself');
  const { view } = folded;
  if (view.logId !== info.logId || view.version !== info.version) throw new Error(`it holds another moment of ${log}`);
  return folded;
}

/**
 * Another release may have folded the same log otherwise, so its snapshots are not used, unless nothing else is left: with
 * the history moved offline, one of the same shape has to do.
 */
async function mayBeOfVersion(eventLog: EventLog, { log, codeVersion }: SnapshotInfo): Promise<boolean> {
  if (codeVersion === packageFile.version) return true;
  try {
    await firstAfter(eventLog, log, 0);
    return false;
  } catch (error) {
    if (isHistoryOffline(error)) return true;
    throw error;
  }
}

/** The commit that the snapshot follows must stand in the log, to the byte. */
async function assertStandsOnLog(eventLog: EventLog, place: LogPlace): Promise<void> {
  const why = await whyNotOnLog(eventLog, place);
  if (why !== null) throw new Error(why);
}

/** A commit that something was made from. */
export type LogPlace = Pick<SnapshotInfo, 'log' | 'logId' | 'version' | 'hash'>;

/** Null: that commit stands in the log, to the byte. Rejects with a LogError while the log cannot be read. */
export async function whyNotOnLog(
  eventLog: EventLog,
  { log, logId, version, hash: expected }: LogPlace,
): Promise<string | null> {
  const { stored, at } = await anchor(eventLog, log, version);
  if (stored === null) return `the log ends before version ${version}`;
  const found = at === version ? stored.hash : stored.commit.previousHash;
  return found === expected && stored.commit.logId === logId ? null : 'the log has another history';
}

/** The commit at `version`, or the one behind it when history up to `version` was moved offline. */
async function anchor(
  eventLog: EventLog,
  log: LogName,
  version: number,
): Promise<{ readonly stored: StoredCommit | null; readonly at: number }> {
  try {
    return { stored: await firstAfter(eventLog, log, version - 1), at: version };
  } catch (error) {
    if (!isHistoryOffline(error)) throw error;
    return { stored: await firstAfter(eventLog, log, version), at: version + 1 };
  }
}

async function firstAfter(eventLog: EventLog, log: LogName, version: number): Promise<StoredCommit | null> {
  for await (const stored of eventLog.read(log, version)) return stored;
  return null;
}

function describe(log: LogName, { commit, hash: commitHash }: Head) {
  return { ...commit, log, hash: commitHash, stateSchema: STATE_SCHEMA, codeVersion: packageFile.version };
}
