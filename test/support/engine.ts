import { access, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import type { ExecutionContext } from 'ava';
import Docker from 'dockerode';
import { DockerEngine as EngineOfAgent } from '../../agent/engine/docker.ts';
import { isEngineUnavailable, startDockerEngine, type DockerEngine } from '../../infra/tools/dockerEngine.ts';
import { clearLeftovers } from '../../infra/tools/dockerLeftovers.ts';
import { importBusybox } from './engineImages.ts';
import { until } from './until.ts';

/** The container engine that test files share. It has the images `muster-test/busybox:1` and `muster-test/sleeper:1`. */
export type TestEngine = Omit<DockerEngine, 'stop'>;

/** GPUs that the engine of the tests pretends to have, by CDI where it knows CDI and by the `nvidia` driver. */
export const TEST_GPU_UUIDS = [0, 1, 2, 3].map((n) => `GPU-00000000-0000-4000-8000-00000000000${n}`);

/** Which Docker engine the tests run on, such as `20.10`; absent: the machine's own, else the newest. */
export const DOCKER_VERSION = process.env['MUSTER_TEST_DOCKER'];

/** The engine of the run as JSON; `none` when the run found that it cannot have one. */
export const ENGINE_VARIABLE = 'MUSTER_TEST_ENGINE';

/**
 * Starts the engine for a whole test run and names it in the environment, so that every test file finds it. Null where
 * none can run, and the reason has been shown; with CI set that is an error.
 */
export async function ensureTestEngine(onProgress: (step: string) => void): Promise<DockerEngine | null> {
  const engine = await startUnlessUnavailable(join(tmpdir(), `muster-engine-${process.pid}`), onProgress);
  if (engine !== null) process.env[ENGINE_VARIABLE] = JSON.stringify(engine);
  return engine;
}

let own: Promise<TestEngine | null> | undefined;

/** The engine of the run, or one for this test file alone. It ends with the process, which it does not keep alive. */
export function testEngine(t: { readonly log: (step: string) => void }): Promise<TestEngine | null> {
  const shared = process.env[ENGINE_VARIABLE];
  if (shared === 'none') return Promise.resolve(null);
  if (shared !== undefined) {
    const engine: TestEngine = JSON.parse(shared);
    return Promise.resolve(engine);
  }
  own ??= startUnlessUnavailable(join(tmpdir(), `muster-engine-${process.pid}-${threadId}`), (step) => t.log(step));
  return own;
}

/** An engine that one test may break. Its network is private, so its ports are reached with `inNetworkOf` only. */
export async function breakableEngine(t: ExecutionContext, name: string, folder = tmpdir()): Promise<DockerEngine> {
  const root = join(folder, `muster-engine-${process.pid}-${name}`);
  const engine = await startDockerEngine({
    root,
    version: DOCKER_VERSION,
    network: 'private',
    nvidia: true,
    onProgress: (step) => t.log(step),
  });
  t.teardown(async () => {
    await engine.stop();
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  });
  await importBusybox(dockerOf(engine));
  return engine;
}

/** An engine that a test may end by any signal and start again. Its sessions and networks are as after a crash on a host. */
export interface RestartableEngine {
  readonly host: string;
  /** Resolves when it has ended. */
  end(signal: NodeJS.Signals): Promise<void>;
  start(): Promise<DockerEngine>;
}

export async function restartableEngine(t: ExecutionContext, name: string): Promise<RestartableEngine> {
  const root = join(tmpdir(), `muster-engine-${process.pid}-${name}`);
  const start = (): Promise<DockerEngine> =>
    startDockerEngine({
      root,
      version: DOCKER_VERSION,
      network: 'private',
      outlasts: true,
      onProgress: (step) => t.log(step),
    });
  let current = await start();
  t.teardown(async () => {
    await current.stop();
    await clearLeftovers(root);
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  });
  await importBusybox(dockerOf(current));
  return {
    host: current.host,
    async end(signal) {
      process.kill(current.dockerdPid, signal);
      await until(
        'the end of the engine',
        () => isThere(`/proc/${current.keeperPid}`),
        (there) => !there,
      );
    },
    async start() {
      current = await start();
      return current;
    },
  };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

export function dockerOf(engine: Pick<TestEngine, 'host'>): Docker {
  return new Docker({ socketPath: engine.host.slice('unix://'.length), host: '', protocol: 'http' });
}

/** The words that run a program where the engine's published ports and bridges are. */
export function inNetworkOf(engine: Pick<TestEngine, 'dockerdPid'>): readonly [string, ...string[]] {
  return ['nsenter', `--net=/proc/${engine.dockerdPid}/ns/net`, '--'];
}

async function startUnlessUnavailable(root: string, onProgress: (step: string) => void): Promise<DockerEngine | null> {
  try {
    const engine = await startDockerEngine({
      root,
      version: DOCKER_VERSION,
      nvidia: true,
      cdiDevices: TEST_GPU_UUIDS,
      onProgress,
    });
    await importBusybox(dockerOf(engine));
    // Before many tests ask for them at once, each by a connection of its own.
    await new EngineOfAgent({ host: engine.host }).prepare();
    return engine;
  } catch (error) {
    if (!isEngineUnavailable(error) || process.env['CI'] !== undefined) throw error;
    onProgress(`TESTS WITH CONTAINERS ARE LEFT OUT: ${error.message}`);
    return null;
  }
}
