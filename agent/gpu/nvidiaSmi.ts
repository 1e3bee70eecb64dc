import { runCommand, type CommandResult } from '../../infra/tools/command.ts';
import { GpuQueryUnreadable, parseGpuQuery, QUERY_FIELDS, type GpuReading } from './gpuQuery.ts';

export type GpuQueryResult =
  /** This host has no nvidia-smi, so it has no NVIDIA driver. */
  | { readonly kind: 'none' }
  | { readonly kind: 'ok'; readonly gpus: readonly GpuReading[] }
  | { readonly kind: 'failed'; readonly message: string };

export type GpuReaderOptions = {
  /** The search path for nvidia-smi. Default: that of this process. */
  readonly path?: string;
  readonly timeLimitMs?: number;
};

const TIME_LIMIT_MS = 5_000;
const ARGUMENTS = [`--query-gpu=${QUERY_FIELDS.join(',')}`, '--format=csv,noheader,nounits'];
const NO_DEVICES = /no devices were found/i;

/**
 * Makes a function that asks nvidia-smi for every GPU. It answers within the time limit, always: with a driver that
 * hangs, nvidia-smi cannot even be killed. While such a process lives, later calls wait for it and start no second one.
 */
export function gpuReader(options: GpuReaderOptions = {}): () => Promise<GpuQueryResult> {
  const timeLimitMs = options.timeLimitMs ?? TIME_LIMIT_MS;
  let running: Promise<GpuQueryResult> | undefined;
  return () => {
    running ??= ask(options.path, timeLimitMs).finally(() => {
      running = undefined;
    });
    return Promise.race([running, lateAnswer(timeLimitMs)]);
  };
}

function ask(path: string | undefined, timeLimitMs: number): Promise<GpuQueryResult> {
  return runCommand('nvidia-smi', ARGUMENTS, {
    timeoutMs: timeLimitMs,
    ...(path === undefined ? {} : { env: { PATH: path } }),
  }).then((result) => toQueryResult(result, timeLimitMs), notStarted);
}

/** Somewhat later than the kill, so that a process which does end by it tells what it said. */
function lateAnswer(timeLimitMs: number): Promise<GpuQueryResult> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(tooLate(timeLimitMs)), timeLimitMs + 250).unref();
  });
}

function toQueryResult(result: CommandResult, timeLimitMs: number): GpuQueryResult {
  if (result.signal === 'SIGKILL') return tooLate(timeLimitMs);
  if (NO_DEVICES.test(result.stdout)) return { kind: 'ok', gpus: [] };
  if (result.code !== 0) {
    const said = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(0, 4).join(' ');
    return failed(`nvidia-smi ended with ${result.code ?? result.signal}: ${said.slice(0, 400)}`);
  }
  try {
    return { kind: 'ok', gpus: parseGpuQuery(result.stdout) };
  } catch (error) {
    if (!(error instanceof GpuQueryUnreadable)) throw error;
    return failed(error.message);
  }
}

function notStarted(error: unknown): GpuQueryResult {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return { kind: 'none' };
  return failed(`nvidia-smi could not be started: ${cause instanceof Error ? cause.message : String(error)}`);
}

function tooLate(timeLimitMs: number): GpuQueryResult {
  return failed(`nvidia-smi did not answer within ${timeLimitMs / 1_000} s: look at the kernel log for Xid errors.`);
}

function failed(message: string): GpuQueryResult {
  return { kind: 'failed', message };
}
