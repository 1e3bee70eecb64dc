import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { anotherEngineUsesThisNetwork, clearLeftovers } from './dockerLeftovers.ts';

/**
 * A process that keeps one Docker engine: it starts it, and clears everything away when its standard input ends. That
 * happens when the process that wanted the engine says stop, and also when that process crashes or is killed.
 */
export type KeeperPlan = {
  readonly root: string;
  readonly path: string;
  readonly network: 'host' | 'private' | 'host if free';
  readonly cdiDevices: readonly string[];
  readonly knowsCdi: boolean;
  readonly outlasts: boolean;
};

export type KeeperReport =
  | {
      readonly kind: 'ready';
      readonly socket: string;
      readonly version: string;
      readonly network: 'host' | 'private';
      readonly dockerdPid: number;
      readonly keeperPid: number;
    }
  | { readonly kind: 'failed'; readonly message: string };

type Dockerd = {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  readonly socket: string;
};

const START_LIMIT_MS = 60_000;
const CALL_LIMIT_MS = 20_000;
const END_LIMIT_MS = 15_000;

const plan: KeeperPlan = JSON.parse(process.env['MUSTER_ENGINE_PLAN'] ?? '{}');
const stopWanted = new Promise<'stop'>((resolve) => {
  process.stdin.once('end', () => resolve('stop')).once('close', () => resolve('stop'));
  process.stdin.resume();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve('stop'));
});

try {
  await refuseSecondKeeper();
  await keep();
} catch (error) {
  report({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
// Standard input may still be open: an engine that ended by itself must not leave its keeper behind.
process.exit();

async function keep(): Promise<void> {
  if (!plan.outlasts) await clearLeftovers(plan.root);
  let end: 'stop' | 'ended' | 'failed' = 'failed';
  try {
    end = await runUntilEnd();
  } finally {
    if (end !== 'ended' || !plan.outlasts) await clearLeftovers(plan.root);
  }
  // The data of an engine that was killed stay: the next start with this root finds its networks in them and removes
  // their bridges from the machine.
  if (end === 'stop') await rm(plan.root, { recursive: true, force: true });
}

async function runUntilEnd(): Promise<'stop' | 'ended'> {
  const network = await chooseNetwork();
  const { child, ended, socket } = await start(network);
  if (!plan.outlasts) await removeEverything(socket);
  const version: { readonly Version: string } = JSON.parse(await call(socket, 'GET', '/version'));
  const dockerdPid = Number(await readFile(join(plan.root, 'dockerd.pid'), 'utf8'));
  report({ kind: 'ready', socket, version: version.Version, network, dockerdPid, keeperPid: process.pid });
  const end = await Promise.race([ended.then(() => 'ended' as const), stopWanted]);
  if (end === 'ended') return end;
  await removeEverything(socket);
  child.kill('SIGTERM');
  await Promise.race([ended, wait(END_LIMIT_MS)]);
  return end;
}

async function refuseSecondKeeper(): Promise<void> {
  const file = join(plan.root, 'keeper.pid');
  const other = Number(await readFile(file, 'utf8').catch(() => '0'));
  const line = other > 0 ? await readFile(`/proc/${other}/cmdline`, 'utf8').catch(() => '') : '';
  if (line.includes('dockerEngineKeeper')) throw new Error(`${plan.root} is in use by the engine of process ${other}`);
  await writeFile(file, String(process.pid));
}

/**
 * Two engines in one network rewrite each other's packet filter. Those of keepers find one another by the name of a
 * socket, which the kernel keeps per network and frees with the process; other engines are found by their program.
 */
async function chooseNetwork(): Promise<'host' | 'private'> {
  if (plan.network !== 'host if free') return plan.network;
  if (await anotherEngineUsesThisNetwork()) return 'private';
  return new Promise((resolve, reject) => {
    const claim = createServer().once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('private');
      else reject(error);
    });
    claim.listen('\0muster-test-engine-network', () => resolve('host'));
  });
}

async function start(network: 'host' | 'private'): Promise<Dockerd> {
  const { root } = plan;
  const socket = join(root, 'docker.sock');
  // A killed engine takes its containerd with it, and dockerd waits in vain for the one whose pid it finds there.
  await rm(join(root, plan.outlasts ? 'exec/containerd/containerd.pid' : 'exec'), { recursive: true, force: true });
  await rm(join(root, 'dockerd.pid'), { force: true });
  await rm(socket, { force: true });
  await mkdir(join(root, 'cdi'), { recursive: true });
  await writeFile(join(root, 'cdi', 'nvidia.json'), JSON.stringify(cdiSpecification(plan.cdiDevices)));
  const cdi = plan.knowsCdi ? { features: { cdi: true }, 'cdi-spec-dirs': [join(root, 'cdi')] } : {};
  await writeFile(join(root, 'daemon.json'), JSON.stringify(cdi));
  // Without the default bridge two engines on one machine do not meet in `docker0`.
  const words = ['dockerd', '--config-file', join(root, 'daemon.json'), '--data-root', join(root, 'data')];
  words.push('--exec-root', join(root, 'exec'), '-p', join(root, 'dockerd.pid'), '-H', `unix://${socket}`);
  words.push('--bridge=none', '--log-level=warn');
  // The agent tries again by itself, and the engine's own five tries take most of a minute.
  words.push('--max-download-attempts=1');
  const inside = ['unshare', '--net', '--', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...words];
  const [program = 'dockerd', ...args] = network === 'private' ? inside : words;
  const log = await open(join(root, 'dockerd.log'), 'a');
  const child = spawn(program, args, {
    env: { ...process.env, PATH: plan.path },
    stdio: ['ignore', log.fd, log.fd],
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve()).once('error', () => resolve());
  });
  await log.close();
  await untilAnswering(child, socket);
  return { child, ended, socket };
}

async function untilAnswering(child: ChildProcess, socket: string): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  for (;;) {
    const answer = await call(socket, 'GET', '/_ping').catch(() => undefined);
    if (answer !== undefined) return;
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
      const log = await readFile(join(plan.root, 'dockerd.log'), 'utf8');
      throw new Error(`dockerd did not start: ${log.trim().split('\n').slice(-8).join('\n')}`);
    }
    await wait(25);
  }
}

/** Device nodes lead to /dev/null, so that a container can open them on a machine without GPUs. */
function cdiSpecification(uuids: readonly string[]): object {
  return {
    cdiVersion: '0.6.0',
    kind: 'nvidia.com/gpu',
    devices: uuids.map((uuid, index) => ({
      name: uuid,
      containerEdits: {
        env: [`MUSTER_TEST_CDI_${index}=${uuid}`],
        deviceNodes: [{ path: `/dev/nvidia${index}`, hostPath: '/dev/null', type: 'c', major: 1, minor: 3 }],
      },
    })),
  };
}

async function removeEverything(socket: string): Promise<void> {
  const containers: readonly { readonly Id: string }[] = JSON.parse(
    await call(socket, 'GET', '/containers/json?all=true'),
  );
  for (const each of containers) await call(socket, 'DELETE', `/containers/${each.Id}?force=true&v=true`);
  await call(socket, 'POST', '/networks/prune');
}

function call(socketPath: string, method: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, signal: AbortSignal.timeout(CALL_LIMIT_MS) }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      answer.once('error', reject).once('end', () => {
        if ((answer.statusCode ?? 500) < 400 || answer.statusCode === 404) resolve(text);
        else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
      });
    });
    sent.once('error', reject).end();
  });
}

function report(line: KeeperReport): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
