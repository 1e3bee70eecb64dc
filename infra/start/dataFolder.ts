import { chmod, mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno, StartError, StartFailure } from './errors.ts';
import { takeLock } from './lock.ts';

/** Written and synced as a trial: about what the first start needs at once. */
const TRIAL_BYTES = 1024 * 1024;
const LOW_BYTES = 1024 ** 3;

export type DataFolder = {
  readonly path: string;
  /** A sentence to print when the disk is nearly full. */
  readonly warning: string | undefined;
  readonly release: () => Promise<void>;
};

/**
 * Makes the data folder (readable by its owner alone), makes sure that it can be written, and locks it. `url` is what
 * a second start on the same data is told.
 */
export async function openDataFolder(path: string, url: string): Promise<DataFolder> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
    const lock = await takeLock(join(path, 'muster.lock'), url);
    if (!lock.taken) {
      throw new StartError(
        StartFailure.alreadyRunning,
        `Muster already runs on ${path}: process ${lock.holder.pid}, ${lock.holder.note}\n` +
          'Stop that one first, or choose another folder with MUSTER_DATA (and another address with MUSTER_HTTP).',
      );
    }
    try {
      await writeTrial(path);
      return { path, warning: await lowSpace(path), release: lock.release };
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw explain(error, path);
  }
}

async function writeTrial(path: string): Promise<void> {
  const trial = join(path, `.trial-${process.pid}`);
  try {
    await using file = await open(trial, 'w', 0o600);
    await file.writeFile(Buffer.alloc(TRIAL_BYTES, 1));
    await file.sync();
  } finally {
    await rm(trial, { force: true });
  }
}

async function lowSpace(path: string): Promise<string | undefined> {
  const disk = await statfs(path);
  const free = disk.bavail * disk.bsize;
  if (free >= LOW_BYTES) return undefined;
  return `only ${Math.floor(free / 1024 ** 2)} MiB are free on the disk of ${path}`;
}

function explain(error: unknown, path: string): unknown {
  if (hasErrno(error, 'ENOSPC', 'EDQUOT')) {
    return new StartError(
      StartFailure.diskFull,
      `No space left on the disk of ${path}. Free some, or choose a folder on another disk with MUSTER_DATA.`,
      error,
    );
  }
  if (hasErrno(error, 'EROFS')) {
    return notWritable(path, 'its file system is read-only', error);
  }
  if (hasErrno(error, 'EACCES', 'EPERM')) {
    return notWritable(path, 'this user may not write there', error);
  }
  if (hasErrno(error, 'ENOTDIR', 'EEXIST')) {
    return notWritable(path, 'a part of this path is a file', error);
  }
  return error;
}

function notWritable(path: string, why: string, cause: unknown): StartError {
  return new StartError(
    StartFailure.dataNotWritable,
    `The data folder ${path} cannot be written: ${why}. Choose another with MUSTER_DATA.`,
    cause,
  );
}
