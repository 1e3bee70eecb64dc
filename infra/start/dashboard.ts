import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { runCommand } from '../tools/command.ts';
import { hasErrno, StartError, StartFailure } from './errors.ts';
import { takeLock } from './lock.ts';

export type Dashboard = {
  /** Script that builds it, run by this Node in the repository's top folder. */
  readonly script: string;
  /** Files and folders that the result depends on. */
  readonly sources: readonly string[];
  /** Folder that the script fills. */
  readonly output: string;
};

const STAMP = '.sources';
/** Folders that are results, not sources. */
const RESULTS = new Set(['dist', 'node_modules']);

/** Builds the dashboard when its sources changed. True when it did. */
export async function buildDashboard(
  root: string,
  dashboard: Dashboard,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const hash = await hashOf(root, dashboard.sources);
  if ((await stampOf(dashboard.output)) === hash) return false;
  try {
    return await buildOnce(root, dashboard, hash, say, signal);
  } catch (error) {
    if (!hasErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT')) throw error;
    throw new StartError(
      StartFailure.dashboardFailed,
      `The dashboard must be built, and that cannot be written in ${root}: ${error.message}.\n` +
        'Start it once as the user who owns that folder, or free some space there.',
      error,
    );
  }
}

async function buildOnce(
  root: string,
  dashboard: Dashboard,
  hash: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const lockPath = join(root, 'node_modules', '.cache', 'muster-dashboard.lock');
  await mkdir(dirname(lockPath), { recursive: true });
  const lock = await waitForLock(lockPath, signal);
  try {
    // Another start may have built it while this one waited.
    if ((await stampOf(dashboard.output)) === hash) return false;
    say('building the dashboard, because its sources changed');
    await build(root, dashboard, signal);
    await writeFile(join(dashboard.output, STAMP), hash);
    return true;
  } finally {
    await lock.release();
  }
}

async function build(root: string, dashboard: Dashboard, signal: AbortSignal): Promise<void> {
  await rm(join(dashboard.output, STAMP), { force: true });
  const result = await runCommand(process.execPath, [dashboard.script], { cwd: root, signal });
  if (result.code === 0) return;
  const said = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-20).join('\n');
  throw new StartError(StartFailure.dashboardFailed, `The dashboard could not be built:\n${said}`, result);
}

async function waitForLock(path: string, signal: AbortSignal): Promise<{ readonly release: () => Promise<void> }> {
  for (;;) {
    const lock = await takeLock(path, 'building the dashboard');
    if (lock.taken) return lock;
    await pause(100, undefined, { signal });
  }
}

async function stampOf(output: string): Promise<string | undefined> {
  try {
    return await readFile(join(output, STAMP), 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** A hash over the paths and contents of all the sources. */
async function hashOf(root: string, sources: readonly string[]): Promise<string> {
  const files = (await Promise.all(sources.map((source) => filesOf(source)))).flat().toSorted();
  const contents = await Promise.all(files.map((file) => readFile(file)));
  const hash = createHash('sha256');
  for (const [index, file] of files.entries()) {
    hash.update(`${relative(root, file)}\0${contents[index]?.length ?? 0}\0`).update(contents[index] ?? '');
  }
  return hash.digest('hex');
}

async function filesOf(path: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    const names = entries.filter((entry) => !RESULTS.has(entry.name)).map((entry) => join(path, entry.name));
    const nested = await Promise.all(names.map((name) => filesOf(name)));
    return nested.flat();
  } catch (error) {
    if (hasErrno(error, 'ENOTDIR')) return [path];
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
