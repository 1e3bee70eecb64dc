import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hasErrno } from './errors.ts';
import { isRunning, nameOf, type ProcessName } from './processes.ts';

/** Who holds a lock, and one sentence about it for others, such as an address. */
export type Holder = ProcessName & { readonly note: string };

export type Lock =
  | { readonly taken: true; readonly release: () => Promise<void> }
  | { readonly taken: false; readonly holder: Holder };

/**
 * A lock file with its holder's process in it. It appears with its content in one step (a link to a finished file), so
 * nobody reads half of one. The lock of a process that is gone is taken over.
 */
export async function takeLock(path: string, note: string): Promise<Lock> {
  const own = `${path}.${process.pid}`;
  const holder: Holder = { ...(await nameOf(process.pid)), note };
  await writeFile(own, JSON.stringify(holder), { mode: 0o600 });
  try {
    for (;;) {
      if (await linked(own, path)) return { taken: true, release: () => rm(path, { force: true }) };
      const present = await readHolder(path);
      if (present === undefined) continue;
      if (await isRunning(present)) return { taken: false, holder: present };
      await removeStale(path);
    }
  } finally {
    await rm(own, { force: true });
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Undefined when the lock has just gone. What cannot be read as a holder belongs to no process. */
async function readHolder(path: string): Promise<Holder | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  return parseHolder(text);
}

export function parseHolder(text: string): Holder {
  const nobody: Holder = { pid: 2 ** 30, startTicks: 0, note: '' };
  try {
    const value: unknown = JSON.parse(text);
    return isHolder(value) ? value : nobody;
  } catch (error) {
    if (error instanceof SyntaxError) return nobody;
    throw error;
  }
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== 'object' || value === null) return false;
  if (!('pid' in value) || !('startTicks' in value) || !('note' in value)) return false;
  return Number.isInteger(value.pid) && Number.isInteger(value.startTicks) && typeof value.note === 'string';
}

/** Moved aside first, so of two that find it stale only one removes it; one that came alive meanwhile is put back. */
async function removeStale(path: string): Promise<void> {
  const aside = `${path}.stale-${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return;
    throw error;
  }
  const moved = await readHolder(aside);
  if (moved !== undefined && (await isRunning(moved))) await linked(aside, path);
  await rm(aside, { force: true });
}
