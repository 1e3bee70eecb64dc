import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { ADMIN_KEY, type TestGateway } from './gateway.ts';

/** The command `muster`. */
export const MAIN = join(import.meta.dirname, '../../gateway/cli/main.ts');

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs `muster` with these words to its end. */
export async function run(words: readonly string[], env: Readonly<Record<string, string>>): Promise<Said> {
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let error = '';
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (error += text.toString()));
  const [code]: unknown[] = await once(child, 'close');
  return { code: Number(code), out, error };
}

/** The command line of an operator who has the key of this gateway. */
export function muster(gateway: TestGateway): (...words: string[]) => Promise<Said> {
  const env = { MUSTER_HTTP: new URL(gateway.url).host, MUSTER_ADMIN_KEY: ADMIN_KEY };
  return (...words) => run(words, env);
}

/** What it printed when it ended well. */
export async function ok(t: ExecutionContext, said: Promise<Said>): Promise<string> {
  const { code, out, error } = await said;
  t.is(code, 0, `${out}${error}`);
  return out;
}
