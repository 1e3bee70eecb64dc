import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** Runs another program of this repository in the foreground, hands on signals, and ends as it ends. */
export async function runProgram(path: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, join(ROOT, path), ...args], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const [code]: unknown[] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}
