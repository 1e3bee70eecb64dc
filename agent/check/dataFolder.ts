import { open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasErrno } from '../../infra/start/errors.ts';
import { ledgerInFolder } from '../ledgerFile.ts';
import { ok, warning, wrong, type Finding } from './finding.ts';
import { failedWith, whyNot, type Look } from './probe.ts';

const CHECK = 'data folder';
const TRIAL_BYTES = 65_536;

export type DataFolderFacts = {
  /** The folder itself, or the nearest one above it that is there. */
  readonly folder: string;
  readonly exists: boolean;
  readonly ownerUid: number;
};

/** Writes a trial file, synced, into the folder (or, while it is not made, into the one it will be made in) and removes it. */
export async function tryDataFolder(dataDir: string): Promise<DataFolderFacts> {
  const folder = await nearestFolder(dataDir);
  const trial = join(folder, `.muster-check-${process.pid}`);
  try {
    await using file = await open(trial, 'wx', 0o600);
    await file.writeFile(Buffer.alloc(TRIAL_BYTES, 1));
    await file.sync();
  } finally {
    await rm(trial, { force: true });
  }
  return { folder, exists: folder === dataDir, ownerUid: (await stat(folder)).uid };
}

/** Throws a LedgerError that says what to do. The number of sessions that the ledger knows. */
export async function readLedger(dataDir: string): Promise<number> {
  return (await ledgerInFolder(join(dataDir, 'agent')).load()).entries.size;
}

async function nearestFolder(path: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (error) {
    if (!hasErrno(error, 'ENOENT') || dirname(path) === path) throw error;
    return await nearestFolder(dirname(path));
  }
}

export type DataLooks = {
  readonly dataDir: string;
  /** Of the user who checks; null where there are no such ids. */
  readonly uid: number | null;
  readonly trial: Look<DataFolderFacts>;
  readonly ledger: Look<number>;
};

/** Whether the agent can remember what it has started. */
export function judgeData({ dataDir, uid, trial, ledger }: DataLooks): readonly Finding[] {
  if (trial.kind !== 'seen') return [unwritable(dataDir, trial)];
  if (ledger.kind !== 'seen') return [wrong(CHECK, whyNot(ledger))];
  const { exists, ownerUid } = trial.facts;
  if (!exists) return [ok(CHECK, `${dataDir} is not there yet and can be made`)];
  const said = ok(CHECK, `${dataDir} can be written; its ledger knows ${count(ledger.facts)}`);
  // Root may write everywhere, which proves nothing about the user that the agent runs as.
  if (uid !== 0 || ownerUid === 0) return [said];
  return [
    said,
    warning(
      'user',
      `root checks here, and the data belongs to the user ${ownerUid}: what that one may not do shows only when it checks`,
      `sudo -u '#${ownerUid}' --preserve-env=MUSTER_CONFIG npx muster agent check`,
    ),
  ];
}

function unwritable(dataDir: string, look: Exclude<Look<DataFolderFacts>, { kind: 'seen' }>): Finding {
  if (failedWith(look, 'ENOSPC', 'EDQUOT')) {
    return wrong(
      CHECK,
      `no space is left on the disk of ${dataDir}`,
      'free some, or set MUSTER_DATA to a folder on another disk',
    );
  }
  if (failedWith(look, 'EACCES', 'EPERM')) {
    return wrong(
      CHECK,
      `this user may not write in ${dataDir}`,
      `sudo chown -R "$(id -un)" ${dataDir}, or set MUSTER_DATA`,
    );
  }
  if (failedWith(look, 'EROFS')) {
    return wrong(CHECK, `the file system of ${dataDir} is read-only`, 'mount it writable, or set MUSTER_DATA');
  }
  if (failedWith(look, 'ENOTDIR')) {
    return wrong(CHECK, `a part of the path ${dataDir} is a file`, 'set MUSTER_DATA to a folder');
  }
  return wrong(
    CHECK,
    `${dataDir} cannot be written: ${whyNot(look)}`,
    'set MUSTER_DATA to a folder on a disk that works',
  );
}

function count(sessions: number): string {
  return sessions === 1 ? '1 session' : `${sessions} sessions`;
}
