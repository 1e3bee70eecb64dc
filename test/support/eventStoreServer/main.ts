import { mkdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { Access } from './access.ts';
import type { Node } from './calls.ts';
import { PulledLevers } from './levers.ts';
import type { FromServer, ServerOptions, ToServer } from './protocol.ts';
import { listen } from './server.ts';
import { Store } from './store.ts';

/** The process of the tests' EventStoreDB: README.md next to this file says what it is and what it is not. */

// A test that is gone, however it went, takes its server along.
process.once('disconnect', () => process.exit(0));

const options = JSON.parse(process.argv[2] ?? '') as ServerOptions;
const levers = new PulledLevers();
const sockets = new Set<Socket>();

await mkdir(options.folder, { recursive: true });
const node: Node = {
  store: await Store.open({
    path: join(options.folder, 'events.log'),
    disk: () => levers.now,
    now: () => Date.now() + levers.now.clockAheadMs,
    onFailure: endWith,
  }),
  access: new Access(options.users),
  levers,
  maxAppendBytes: options.maxAppendBytes,
  cutConnections,
  mostBuffered: 0,
};

process.on('message', ({ id, pull, cutConnections: isToCut }: ToServer) => {
  levers.pull(pull ?? {});
  if (isToCut === true) cutConnections();
  const { store, mostBuffered } = node;
  tell({ id, counts: { ...store.counts, connections: sockets.size, mostBuffered } });
});
await listen(node, options, sockets);
tell({ isReady: true });

function tell(message: FromServer): void {
  process.send?.(message);
}

function cutConnections(): void {
  for (const socket of sockets) socket.destroy();
}

/** EventStoreDB, too, ends its process when its writer fails: "Unexpected error in StorageWriterService". */
function endWith(error: unknown): void {
  console.error('The writer failed, the process ends:', error);
  process.exit(1);
}
