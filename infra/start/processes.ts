import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { hasErrno } from './errors.ts';

/**
 * A process named so that a later one with the same id is not mistaken for it: `startTicks` is the clock tick since
 * boot at which it started, 0 where there is no /proc.
 */
export type ProcessName = { readonly pid: number; readonly startTicks: number };

export async function nameOf(pid: number): Promise<ProcessName> {
  return { pid, startTicks: await startTicks(pid) };
}

export async function isRunning(process_: ProcessName): Promise<boolean> {
  return signalled(process_.pid, 0) && (await startTicks(process_.pid)) === process_.startTicks;
}

/** The arguments of a process; undefined when there is no such process. */
export async function commandLine(pid: number): Promise<readonly string[] | undefined> {
  const text = await readOrUndefined(`/proc/${pid}/cmdline`);
  return text === undefined || text === '' ? undefined : text.split('\0').slice(0, -1);
}

/** The environment that a process of the same user was started with; undefined when there is no such process. */
export async function environmentOf(pid: number): Promise<Readonly<Record<string, string>> | undefined> {
  const text = await readOrUndefined(`/proc/${pid}/environ`);
  if (text === undefined) return undefined;
  const pairs = text.split('\0').map((pair) => [pair.split('=')[0] ?? '', pair.slice(pair.indexOf('=') + 1)] as const);
  return Object.fromEntries(pairs);
}

/** Asks a process to end, waits, and ends it by force when the time is up. */
export async function endProcess(process_: ProcessName, limitMs: number): Promise<void> {
  if (!(await isRunning(process_))) return;
  signalled(process_.pid, 'SIGTERM');
  const deadline = performance.now() + limitMs;
  while (await isRunning(process_)) {
    if (performance.now() > deadline) signalled(process_.pid, 'SIGKILL');
    await pause(20);
  }
}

/** False when there is no such process. */
function signalled(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (hasErrno(error, 'ESRCH')) return false;
    if (hasErrno(error, 'EPERM')) return true;
    throw error;
  }
}

/** -1 for a process that has ended (also one whose parent has not asked for its exit code yet). */
async function startTicks(pid: number): Promise<number> {
  const stat = await readOrUndefined(`/proc/${pid}/stat`);
  if (stat === undefined) return process.platform === 'linux' ? -1 : 0;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? -1 : Number(fields[19]);
}

async function readOrUndefined(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH', 'ENOTDIR')) return undefined;
    throw error;
  }
}
