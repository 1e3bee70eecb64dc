import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { runCommand } from './command.ts';

type Process = { readonly pid: number; readonly parent: number; readonly argv: readonly string[] };

const ENGINE_PROGRAMS = new Set(['dockerd', 'containerd', 'containerd-shim-runc-v2', 'docker-proxy', 'runc']);
const END_LIMIT_MS = 10_000;

/**
 * Ends the processes that an engine with this root left behind, with the containers below them, and unmounts its file
 * systems. An engine that was killed leaves its containers running: only their shims name the root.
 */
export async function clearLeftovers(root: string): Promise<void> {
  const deadline = performance.now() + END_LIMIT_MS;
  for (;;) {
    const processes = await listProcesses();
    const doomed = withDescendants(
      processes,
      processes.filter((each) => belongsTo(each, root)),
    );
    if (doomed.length === 0) break;
    if (performance.now() > deadline) throw new Error(`Processes of ${root} do not end: ${doomed.join(', ')}`);
    for (const pid of doomed) endProcess(pid);
    await wait(20);
  }
  for (let points = await mountsBelow(root); points.length > 0; points = await mountsBelow(root)) {
    for (const point of points) await runCommand('umount', ['-l', point]);
    if (performance.now() > deadline) throw new Error(`File systems of ${root} stay mounted: ${points.join(', ')}`);
  }
}

/** The last mounted first. */
async function mountsBelow(root: string): Promise<readonly string[]> {
  const points = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  return points.filter((each) => each.startsWith(`${root}/`)).toReversed();
}

/** Whether a dockerd runs in the network namespace of this process. */
export async function anotherEngineUsesThisNetwork(): Promise<boolean> {
  const mine = await readlink('/proc/self/ns/net');
  for (const each of await listProcesses()) {
    if (programOf(each) !== 'dockerd') continue;
    if ((await unlessGone(readlink(`/proc/${each.pid}/ns/net`))) === mine) return true;
  }
  return false;
}

async function listProcesses(): Promise<readonly Process[]> {
  const processes: Process[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [stat, line] = await Promise.all([
      unlessGone(readFile(`/proc/${name}/stat`, 'utf8')),
      unlessGone(readFile(`/proc/${name}/cmdline`, 'utf8')),
    ]);
    if (stat === undefined || line === undefined) continue;
    // The program's name in brackets may hold blanks and brackets, so the fields are counted from its end. A zombie
    // has ended already and waits only for its parent.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state !== 'Z') processes.push({ pid: Number(name), parent: Number(parent), argv: line.split('\0') });
  }
  return processes;
}

function belongsTo(each: Process, root: string): boolean {
  return (
    ENGINE_PROGRAMS.has(programOf(each)) &&
    each.argv.some((word) => word.includes(`${root}/`)) &&
    each.pid !== process.pid
  );
}

function programOf(each: Process): string {
  return basename(each.argv[0] ?? '');
}

function withDescendants(all: readonly Process[], roots: readonly Process[]): readonly number[] {
  const found = new Set(roots.map((each) => each.pid));
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const each of all) if (found.has(each.parent)) found.add(each.pid);
  }
  return [...found];
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  return reading.catch((error: unknown) => {
    if (isGone(error)) return undefined;
    throw error;
  });
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH');
}
