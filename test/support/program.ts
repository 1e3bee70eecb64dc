import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ExecutionContext } from 'ava';

export type ProgramEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type Program = {
  readonly pid: number;
  /** Standard output and standard error, in the order in which they arrived. */
  readonly output: () => string;
  readonly stdout: () => string;
  /** Resolves once the output matches; rejects when the program ends without it. */
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray>;
  readonly ended: Promise<ProgramEnd>;
  readonly kill: (signal: NodeJS.Signals) => void;
};

export type ProgramOptions = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly uid?: number;
};

/** Starts a program for one test and ends it with the test. */
export function startProgram(
  t: ExecutionContext,
  file: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Program {
  const child = spawn(file, [...args], {
    ...options,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let stdout = '';
  const waiting = new Set<() => void>();
  const heard = (text: string): void => {
    output += text;
    for (const look of waiting) look();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    heard(text);
  });
  child.stderr.setEncoding('utf8').on('data', heard);
  const ended = once(child, 'close').then(([code]: unknown[]): ProgramEnd => ({
    code: typeof code === 'number' ? code : null,
    signal: child.signalCode,
  }));
  const says = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(output);
        if (match === null) return;
        waiting.delete(look);
        resolve(match);
      };
      waiting.add(look);
      look();
      ended.then(() => reject(new Error(`ended without saying ${String(pattern)}:\n${output}`)), reject);
    });
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    pid: child.pid ?? 0,
    output: () => output,
    stdout: () => stdout,
    says,
    ended,
    kill: (signal) => child.kill(signal),
  };
}
