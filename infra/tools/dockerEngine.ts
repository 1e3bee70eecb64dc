import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findDockerPrograms } from './dockerPrograms.ts';
import type { KeeperPlan, KeeperReport } from './dockerEngineKeeper.ts';

export const EngineUnavailableReason = {
  notLinux: 'NOT_LINUX',
  notRoot: 'NOT_ROOT',
  noPrograms: 'NO_PROGRAMS',
  rootTooLong: 'ROOT_TOO_LONG',
  didNotStart: 'DID_NOT_START',
} as const;
export type EngineUnavailableReason = (typeof EngineUnavailableReason)[keyof typeof EngineUnavailableReason];

/** No container engine of our own can run here. The message says why and what would change it. */
export class EngineUnavailable extends Error {
  readonly code = 'ENGINE_UNAVAILABLE';
  readonly reason: EngineUnavailableReason;
  constructor(reason: EngineUnavailableReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'EngineUnavailable';
    this.reason = reason;
  }
}

export function isEngineUnavailable(error: unknown): error is EngineUnavailable {
  return error instanceof EngineUnavailable;
}

export type DockerEngineOptions = {
  /** Folder that the engine has for itself: socket, data, logs. It is removed by `stop`. */
  readonly root: string;
  /** Such as `20.10`: the version that it has to be of. Default: the machine's own, else the newest. */
  readonly version?: string | undefined;
  /** Registers the engine's `nvidia` device driver by a hook that does nothing. */
  readonly nvidia?: boolean;
  /** UUIDs of pretended GPUs that the engine offers as CDI devices `nvidia.com/gpu=<uuid>`. */
  readonly cdiDevices?: readonly string[];
  /**
   * `host`: bridges, packet filter and published ports are those of this machine. `private`: a network namespace of
   * the engine's own, so published ports are reached only from inside it. Default: `host`, unless another engine is
   * using it already, because two engines would rewrite each other's packet filter.
   */
  readonly network?: 'host' | 'private';
  /**
   * What it runs and knows stays when it ends by anything but `stop`, and the next start with this root finds it, as on
   * a host whose engine crashes and comes back. Whoever asks for this clears up what was never started again.
   */
  readonly outlasts?: boolean;
  readonly onProgress: (step: string) => void;
};

export type DockerEngine = {
  readonly host: string;
  readonly version: string;
  readonly knowsCdi: boolean;
  readonly network: 'host' | 'private';
  readonly dockerdPid: number;
  readonly keeperPid: number;
  /** Removes every container and network, ends every process and deletes the root. */
  stop(): Promise<void>;
};

/** The kernel's limit for the path of a Unix socket, and the longest socket name that dockerd makes below the root. */
const SOCKET_PATH_LIMIT = 107;
const LONGEST_SOCKET = '/exec/containerd/containerd-debug.sock';
const STOP_LIMIT_MS = 60_000;

/**
 * Starts a Docker engine that shares nothing with one that the machine may already have. It is watched by a keeper
 * process that ends it when this process ends, in whatever way.
 */
export async function startDockerEngine(options: DockerEngineOptions): Promise<DockerEngine> {
  assertPossible(options.root);
  const { root, nvidia, version, onProgress } = options;
  const programs = await findDockerPrograms(root, nvidia === true, version, onProgress).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new EngineUnavailable(EngineUnavailableReason.noPrograms, `There is no Docker engine here: ${why}`, error);
  });
  const plan: KeeperPlan = {
    root: options.root,
    path: programs.path,
    network: options.network ?? 'host if free',
    cdiDevices: programs.knowsCdi ? (options.cdiDevices ?? []) : [],
    knowsCdi: programs.knowsCdi,
    outlasts: options.outlasts === true,
  };
  options.onProgress(`starting Docker engine ${programs.version} in ${options.root}`);
  const keeper = spawn(process.execPath, [fileURLToPath(new URL('dockerEngineKeeper.ts', import.meta.url))], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, MUSTER_ENGINE_PLAN: JSON.stringify(plan), NODE_NO_WARNINGS: '1' },
  });
  const report = await firstReport(keeper);
  if (report.kind === 'failed') throw new EngineUnavailable(EngineUnavailableReason.didNotStart, report.message);
  release(keeper);
  return {
    host: `unix://${report.socket}`,
    version: report.version,
    knowsCdi: programs.knowsCdi,
    network: report.network,
    dockerdPid: report.dockerdPid,
    keeperPid: report.keeperPid,
    stop: () => stop(keeper),
  };
}

function assertPossible(root: string): void {
  if (process.platform !== 'linux') {
    throw new EngineUnavailable(EngineUnavailableReason.notLinux, 'A private Docker engine runs on Linux only.');
  }
  if (process.getuid?.() !== 0) {
    throw new EngineUnavailable(
      EngineUnavailableReason.notRoot,
      'A private Docker engine needs root: run the tests as root, or they do without it.',
    );
  }
  if (join(root, LONGEST_SOCKET).length > SOCKET_PATH_LIMIT) {
    throw new EngineUnavailable(
      EngineUnavailableReason.rootTooLong,
      `The folder ${root} is too long for the engine's sockets: choose a shorter one.`,
    );
  }
}

function firstReport(keeper: ChildProcess): Promise<KeeperReport> {
  return new Promise((resolve) => {
    let said = '';
    keeper.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000);
    });
    if (keeper.stdout !== null) {
      createInterface({ input: keeper.stdout }).once('line', (line) => {
        const report: KeeperReport = JSON.parse(line);
        resolve(report);
      });
    }
    keeper.once('error', (error) => resolve({ kind: 'failed', message: error.message }));
    keeper.once('close', () => resolve({ kind: 'failed', message: `The engine's keeper ended early. ${said}` }));
  });
}

/** A test run must be able to end while the engine still runs: the keeper notices by its standard input. */
function release(keeper: ChildProcess): void {
  keeper.unref();
  for (const stream of [keeper.stdin, keeper.stdout, keeper.stderr]) if (stream instanceof Socket) stream.unref();
}

function stop(keeper: ChildProcess): Promise<void> {
  if (keeper.exitCode !== null || keeper.signalCode !== null) return Promise.resolve();
  return new Promise((resolve, reject) => {
    keeper.ref();
    const limit = setTimeout(() => {
      keeper.kill('SIGKILL');
      reject(new Error(`The Docker engine did not stop within ${STOP_LIMIT_MS / 1000} s`));
    }, STOP_LIMIT_MS);
    keeper.once('exit', () => {
      clearTimeout(limit);
      resolve();
    });
    keeper.stdin?.end();
  });
}
