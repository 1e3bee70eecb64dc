import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gatewayEnvironment, restOf, type Rest } from '../test/support/gateway.ts';
import type { TestNats } from '../test/support/nats.ts';
import type { MemoryTold } from './probe.ts';

const MAIN = join(import.meta.dirname, '../gateway/main.ts');
const PROBE = join(import.meta.dirname, 'probe.ts');
const LOOK_MS = 5;

/** A gateway in a process of its own, as the supervisor runs it. */
export interface GatewayProcess {
  readonly rest: Rest;
  /** From the start of the process until `/readyz` answered 200. */
  readonly readyMs: number;
  /** Collects what can be collected first. */
  readonly memory: () => Promise<MemoryTold>;
  readonly stop: () => Promise<void>;
}

/** Resolves when it is ready. Rejects when it ends before. */
export async function startGatewayProcess(nats: TestNats): Promise<GatewayProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-bench-gateway-'));
  const environment = await gatewayEnvironment(nats, folder);
  const url = `http://${environment['MUSTER_HTTP'] ?? ''}`;
  const startedAt = performance.now();
  const gateway = fork(MAIN, [], {
    env: { PATH: process.env['PATH'], ...environment },
    execArgv: ['--expose-gc', '--import', PROBE, ...profiling()],
  });
  const exited = once(gateway, 'exit');
  const ended = exited.then(([code]) => {
    throw new Error(`the gateway ended with ${String(code)}`);
  });
  ended.catch(() => {});
  await Promise.race([untilReady(url), ended]);
  return {
    rest: restOf(url),
    readyMs: performance.now() - startedAt,
    async memory() {
      const { promise, resolve } = Promise.withResolvers<MemoryTold>();
      const listen = (message: unknown): void => {
        if (isMemory(message)) resolve(message);
      };
      gateway.on('message', listen);
      gateway.send('memory');
      const told = await Promise.race([promise, ended]);
      gateway.off('message', listen);
      return told;
    },
    async stop() {
      gateway.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** With BENCH_PROFILE=FOLDER every gateway leaves a CPU profile there when it stops. */
function profiling(): readonly string[] {
  const folder = process.env['BENCH_PROFILE'];
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}

async function untilReady(url: string): Promise<void> {
  for (;;) {
    try {
      const { status } = await fetch(`${url}/readyz`);
      if (status === 200) return;
    } catch (error) {
      // Nobody listens there yet.
      if (!(error instanceof TypeError)) throw error;
    }
    await pause(LOOK_MS);
  }
}

function isMemory(message: unknown): message is MemoryTold {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'memory';
}
