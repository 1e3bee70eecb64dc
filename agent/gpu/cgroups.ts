import { readFile } from 'node:fs/promises';

const MOST_PIDS = 512;
/** Of one pid at a time there would be many waits, of all at once many open files. */
const AT_ONCE = 16;

/**
 * The containers in /proc/<pid>/cgroup, outermost first: a session may run an engine of its own. Version 1 of control groups
 * has a line for each controller, version 2 one; engines write `/docker/<id>`, `docker-<id>.scope`, `libpod-<id>.scope`.
 */
export function containerIdsIn(cgroup: string): readonly string[] {
  const ids = [...cgroup.matchAll(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g)].map(([id]) => id);
  return [...new Set(ids)];
}

/** The containers that each process is in. A process that has ended, or is not to be seen from here, is in none. */
export async function containersOf(
  pids: readonly number[],
  proc = '/proc',
): Promise<ReadonlyMap<number, readonly string[]>> {
  const found = new Map<number, readonly string[]>();
  const asked = [...new Set(pids)].slice(0, MOST_PIDS);
  for (let from = 0; from < asked.length; from += AT_ONCE) {
    const some = asked.slice(from, from + AT_ONCE);
    const texts = await Promise.all(some.map((pid) => readFile(`${proc}/${pid}/cgroup`, 'utf8').catch(noProcess)));
    for (const [index, pid] of some.entries()) found.set(pid, containerIdsIn(texts[index] ?? ''));
  }
  return found;
}

function noProcess(error: unknown): string {
  if (error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH', 'EACCES'].includes(String(error.code)))
    return '';
  throw error;
}
