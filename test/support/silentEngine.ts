import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { temporaryFolder } from './folder.ts';

/** An engine that hangs: it takes every connection and never says a word, or `says` only this. */
export async function silentEngine(t: ExecutionContext, says = ''): Promise<{ host: string; open: () => number }> {
  const socketPath = join(await temporaryFolder(t), 'docker.sock');
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    // A caller that gives up may break the line; `close` follows.
    socket.on('error', () => open.delete(socket));
    socket.once('close', () => open.delete(socket)).resume();
    if (says !== '') socket.write(says);
  });
  await new Promise<void>((resolve) => {
    server.listen(socketPath, resolve);
  });
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { host: `unix://${socketPath}`, open: () => open.size };
}
