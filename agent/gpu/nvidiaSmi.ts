import { runCommand, type CommandResult } from '../../infra/tools/command.ts';

export type SmiAnswer =
  /** This host has no nvidia-smi, so it has no NVIDIA driver. */
  | { readonly kind: 'none' }
  /** It ended by itself; with a device lost it may have told of the others and ended with an error all the same. */
  | { readonly kind: 'said'; readonly code: number | null; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'failed'; readonly message: string };

export type SmiOptions = {
  /** The search path for nvidia-smi. Default: that of this process. */
  readonly path?: string;
  readonly timeLimitMs?: number;
};

const TIME_LIMIT_MS = 5_000;

/**
 * Makes a function that runs nvidia-smi. It answers within the time limit, always: with a driver that hangs, nvidia-smi cannot
 * even be killed. While such a process lives, later calls wait for it, each for as long, and start no second one.
 */
export function nvidiaSmi(options: SmiOptions = {}): (args: readonly string[]) => Promise<SmiAnswer> {
  const limitMs = options.timeLimitMs ?? TIME_LIMIT_MS;
  const now: { running: Promise<SmiAnswer> | null } = { running: null };
  return async (args) => {
    const late = lateAnswer(limitMs);
    while (now.running !== null) {
      const tooLong = await Promise.race([now.running.then(() => null), late]);
      if (tooLong !== null) return tooLong;
    }
    now.running = run(args, options.path, limitMs).finally(() => {
      now.running = null;
    });
    return Promise.race([now.running, late]);
  };
}

function run(args: readonly string[], path: string | undefined, limitMs: number): Promise<SmiAnswer> {
  return runCommand('nvidia-smi', args, {
    timeoutMs: limitMs,
    ...(path === undefined ? {} : { env: { PATH: path } }),
  }).then((result) => answerOf(result, limitMs), notStarted);
}

/** Somewhat later than the kill, so that a process which does end by it tells what it said. */
function lateAnswer(limitMs: number): Promise<SmiAnswer> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(tooLate(limitMs)), limitMs + 250).unref();
  });
}

function answerOf({ code, signal, stdout, stderr }: CommandResult, limitMs: number): SmiAnswer {
  return signal === 'SIGKILL' ? tooLate(limitMs) : { kind: 'said', code, stdout, stderr };
}

function notStarted(error: unknown): SmiAnswer {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return { kind: 'none' };
  const message = `nvidia-smi could not be started: ${cause instanceof Error ? cause.message : String(error)}`;
  return { kind: 'failed', message };
}

function tooLate(limitMs: number): SmiAnswer {
  const message = `nvidia-smi did not answer within ${limitMs / 1_000} s: look at the kernel log for Xid errors.`;
  return { kind: 'failed', message };
}
