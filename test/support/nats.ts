import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connectBus, type Bus } from '../../infra/bus/connect.ts';
import { findNatsServer } from '../../infra/tools/natsServer.ts';

/** A real nats-server with a store of its own, run with the repository's nats.conf unless another one is given. */
export interface TestNats {
  readonly url: string;
  readonly store: string;
  readonly pid: () => number;
  /** Connects to one of the two accounts; the connection is closed with the server. */
  connect(account: 'log' | 'app'): Promise<Bus>;
  /** SIGKILL, as a crash; resolves when the process is gone. */
  kill9(): Promise<void>;
  /** Starts it again on the same port and store, killing it first when it still runs. */
  restart(): Promise<void>;
  /** Ends the server and its connections and removes its store. */
  stop(): Promise<void>;
}

const LOG_PASSWORD = 'log-password-of-the-tests';
const APP_PASSWORD = 'app-password-of-the-tests';
const START_LIMIT_MS = 20_000;
const REPOSITORY_CONF = join(import.meta.dirname, '../../nats.conf');

export async function startNats(options: { readonly conf?: string } = {}): Promise<TestNats> {
  const { path } = await findNatsServer();
  const store = await mkdtemp(join(tmpdir(), 'muster-nats-'));
  const port = await freePort();
  const url = `nats://127.0.0.1:${port}`;
  const env = {
    ...process.env,
    MUSTER_NATS_PORT: String(port),
    MUSTER_NATS_STORE: store,
    MUSTER_NATS_LOG_PASSWORD: JSON.stringify(LOG_PASSWORD),
    MUSTER_NATS_APP_PASSWORD: JSON.stringify(APP_PASSWORD),
  };
  const buses: Bus[] = [];
  let child = await launch();

  async function launch(): Promise<ChildProcess> {
    const started = spawn(path, ['-c', options.conf ?? REPOSITORY_CONF], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    await untilReady(started);
    return started;
  }

  async function kill9(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  return {
    url,
    store,
    pid: () => child.pid ?? 0,
    kill9,
    async connect(account) {
      const password = account === 'log' ? LOG_PASSWORD : APP_PASSWORD;
      const signal = AbortSignal.timeout(START_LIMIT_MS);
      const bus = await connectBus({ url, user: `muster-${account}`, password, name: `test ${account}`, signal });
      buses.push(bus);
      return bus;
    },
    async restart() {
      await kill9();
      child = await launch();
    },
    async stop() {
      await Promise.all(buses.map(async (bus) => await bus.close()));
      await kill9();
      await rm(store, { recursive: true, force: true });
    },
  };
}

/** Resolves when the server says that it is ready, JetStream recovered; rejects with its output when it ends first. */
async function untilReady(server: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let output = '';
  server.stderr?.on('data', (chunk: Buffer) => {
    if (output.length < 100_000) output += chunk.toString();
    if (output.includes('Server is ready')) resolve();
  });
  server.once('error', reject);
  server.once('exit', () => reject(new Error(`nats-server ended:\n${output}`)));
  const limit = new AbortController();
  const timeUp = pause(START_LIMIT_MS, undefined, { signal: limit.signal }).then(
    () => reject(new Error(`nats-server was not ready within ${START_LIMIT_MS} ms:\n${output}`)),
    () => undefined,
  );
  try {
    await promise;
  } finally {
    limit.abort();
    await timeUp;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
