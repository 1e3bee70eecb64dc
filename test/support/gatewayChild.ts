import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

const GATEWAY_MAIN = join(import.meta.dirname, '../../gateway/main.ts');

/** The gateway as the supervisor runs it: a child process with an IPC channel. Resolves when it serves. */
export async function startGatewayChild(
  t: ExecutionContext,
  env: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
  const child = spawn(process.execPath, [GATEWAY_MAIN], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: [...stdio],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const ready = once(child, 'message');
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the gateway ended with ${String(code)} before it was ready`);
  });
  ended.catch(() => undefined);
  const [message]: unknown[] = await Promise.race([ready, ended]);
  t.like(message, { type: 'ready', url: `http://${env['MUSTER_HTTP']}` });
  return child;
}
