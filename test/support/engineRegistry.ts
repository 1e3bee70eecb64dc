import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { inNetworkOf, type TestEngine } from './engine.ts';
import { busyboxTar } from './engineImages.ts';

/**
 * An image registry as a process in the engine's own network. Returns `127.0.0.1:<port>`: engines take loopback
 * registries without TLS. Of `muster/`: `present`, `ours`, `held`, `twice`, `parent` and `slow` (4 s) are there; `flaky` breaks off twice, `broken` always;
 * `private` (403), `locked` (401), `nowhere` and `absent` (404), `busy` (429) and `ill` (503) are refused; `stalled`
 * never answers.
 */
export async function startRegistry(t: ExecutionContext, engine: TestEngine): Promise<string> {
  const [program, ...args] = inNetworkOf(engine);
  const child = spawn(
    program,
    [...args, process.execPath, fileURLToPath(new URL('engineRegistryServer.ts', import.meta.url)), await busyboxTar()],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  t.teardown(async () => {
    child.kill();
    await ended;
  });
  const port = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('error', reject).once('exit', () => reject(new Error('The registry did not start')));
  });
  return `127.0.0.1:${port}`;
}
