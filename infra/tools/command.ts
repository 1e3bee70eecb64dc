import { spawn } from 'node:child_process';

/** What an outside program answered. Output is kept up to a limit, the end of it rather than its beginning. */
export type CommandResult = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type CommandOptions = {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** Called with every whole line of standard output. */
  readonly onLine?: (line: string) => void;
};

/** Characters kept of each stream: enough for a package index's list of files, and a bound. */
const KEPT_CHARACTERS = 4_000_000;

/** The program could not be started at all (it is missing, or may not be executed). */
export class CommandNotStarted extends Error {
  readonly code = 'COMMAND_NOT_STARTED';
  constructor(program: string, cause: unknown) {
    super(`${program} could not be started`, { cause });
    this.name = 'CommandNotStarted';
  }
}

/** Runs a program to its end and returns what it said, whatever its exit code. Messages are in English (LC_ALL=C). */
export function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    // Node's own `timeout` stays alive when the program could not even be started, and keeps the process waiting.
    const timer =
      options.timeoutMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
    let stdout = '';
    let stderr = '';
    let partial = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-KEPT_CHARACTERS);
      const lines = (partial + text).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) options.onLine?.(line);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-KEPT_CHARACTERS);
    });
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(new CommandNotStarted(program, error));
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (partial !== '') options.onLine?.(partial);
      resolve({ code, signal, stdout, stderr });
    });
  });
}
