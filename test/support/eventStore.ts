import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeLoopbackPort } from '../../infra/start/ports.ts';
import type { Levers } from './eventStoreServer/levers.ts';
import type { Counts, FromServer, ServerOptions, ToServer } from './eventStoreServer/protocol.ts';

/** The tests' own EventStoreDB, as a process with a file of its own. Its README says what it is and what it is not. */
export interface TestEventStore {
  /** A connection string, with the first user and the authority to trust if there are such. */
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly pid: () => number;
  /** Sets what the server does from now on; resolves once it does. */
  pull(levers: Partial<Levers>): Promise<void>;
  /** Breaks every connection that it has. */
  cutConnections(): Promise<void>;
  /** How many appends were written since its start. */
  appends(): Promise<number>;
  counts(): Promise<Counts>;
  /** SIGSTOP and SIGCONT: the kernel takes connections, nothing is answered, pings neither. */
  freeze(): void;
  thaw(): void;
  /** SIGKILL, as a crash; resolves when the process is gone. */
  kill9(): Promise<void>;
  /** Resolves with its exit code when it has ended by itself; null: by a signal. */
  ended(): Promise<number | null>;
  /** Starts it again on the same port and folder, killing it first when it still runs. All levers are at rest again. */
  restart(): Promise<void>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

export interface EventStoreOptions {
  readonly port?: number;
  /** Where to keep the events instead of in a folder of its own; it is removed all the same. */
  readonly folder?: string;
  /** Needs `tls`, as EventStoreDB without TLS asks nobody who he is. In the group `$admins` unless other ones are given. */
  readonly user?: TestUser;
  readonly users?: readonly TestUser[];
  /** PEM files of a certificate for 127.0.0.1 and its key, and of the authority that the client trusts. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
  /** 1 MiB unless given, as in EventStoreDB. */
  readonly maxAppendBytes?: number;
}

export interface TestUser {
  readonly name: string;
  readonly password: string;
  readonly groups?: readonly string[];
}

const START_LIMIT_MS = 20_000;
const MAX_APPEND_BYTES = 1_024 * 1_024;
const MAIN = join(import.meta.dirname, 'eventStoreServer/main.ts');

/** A test process that ends early, by its time limit say, takes its servers with it. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const server of running) server.kill('SIGKILL');
});

export async function startEventStore(options: EventStoreOptions = {}): Promise<TestEventStore> {
  const { user, tls, maxAppendBytes = MAX_APPEND_BYTES } = options;
  const users = options.users ?? (user === undefined ? [] : [user]);
  if (users.length > 0 && tls === undefined) throw new Error('EventStoreDB without TLS asks nobody who he is');
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'muster-esdb-')));
  const port = options.port ?? (await freeLoopbackPort());
  const serverOptions: ServerOptions = {
    port,
    folder,
    users: users.map((one) => ({ ...one, groups: one.groups ?? ['$admins'] })),
    maxAppendBytes,
    ...(tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key } }),
  };
  let child = await launch(serverOptions);

  const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  async function kill9(): Promise<void> {
    if (isGone()) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  return {
    url: urlOf(port, users[0], tls?.ca),
    port,
    folder,
    pid: () => child.pid ?? 0,
    pull: async (levers) => void (await ask(child, { pull: levers })),
    cutConnections: async () => void (await ask(child, { cutConnections: true })),
    appends: async () => (await ask(child, {})).appends,
    counts: () => ask(child, {}),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    kill9,
    async ended() {
      if (!isGone()) await once(child, 'exit');
      return child.exitCode;
    },
    async restart() {
      await kill9();
      child = await launch(serverOptions);
    },
    async stop() {
      await kill9();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function urlOf(port: number, user: TestUser | undefined, ca: string | undefined): string {
  const credentials =
    user === undefined ? '' : `${encodeURIComponent(user.name)}:${encodeURIComponent(user.password)}@`;
  const query = ca === undefined ? 'tls=false' : `tls=true&tlsCAFile=${ca}`;
  return `esdb://${credentials}127.0.0.1:${port}?${query}`;
}

/** Resolves once the server listens, its file recovered; rejects with its output when it ends first. */
async function launch(options: ServerOptions): Promise<ChildProcess> {
  const args = [MAIN, JSON.stringify(options)];
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  running.add(server);
  server.once('exit', () => running.delete(server));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let output = '';
  server.stderr?.on('data', (chunk: Buffer) => {
    if (output.length < 100_000) output += chunk.toString();
  });
  server.on('message', (message: FromServer) => {
    if ('isReady' in message) resolve();
  });
  server.once('error', reject);
  server.once('close', () => reject(new Error(`the EventStoreDB of the tests ended:\n${output}`)));
  const timer = setTimeout(() => {
    server.kill('SIGKILL');
    reject(new Error(`the EventStoreDB of the tests was not ready within ${START_LIMIT_MS} ms:\n${output}`));
  }, START_LIMIT_MS);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
  return server;
}

let lastId = 0;

async function ask(server: ChildProcess, what: Omit<ToServer, 'id'>): Promise<Counts> {
  lastId += 1;
  const id = lastId;
  const { promise, resolve, reject } = Promise.withResolvers<Counts>();
  const heard = (message: FromServer): void => {
    if ('id' in message && message.id === id) resolve(message.counts);
  };
  const ended = (): void => reject(new Error('the EventStoreDB of the tests has ended'));
  server.on('message', heard);
  server.once('exit', ended);
  if (server.connected) server.send({ id, ...what });
  else ended();
  try {
    return await promise;
  } finally {
    server.off('message', heard);
    server.off('exit', ended);
  }
}
