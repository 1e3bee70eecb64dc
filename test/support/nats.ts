import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectBus, type Bus } from '../../infra/bus/connect.ts';
import { newAccountSeed } from '../../infra/nkeys/nkey.ts';
import { busServerVariables, type BusSecrets } from '../../infra/start/busSecrets.ts';
import { freeLoopbackPort } from '../../infra/start/ports.ts';
import { findNatsServer } from '../../infra/tools/natsServer.ts';

/** A real nats-server with a store of its own, run with the repository's nats.conf unless another one is given. */
export interface TestNats {
  readonly url: string;
  readonly store: string;
  readonly pid: () => number;
  /** Connects to one of the accounts as gateways do; the connection is closed with the server. */
  connect(account: keyof typeof PASSWORDS): Promise<Bus>;
  /** SIGKILL, as a crash; resolves when the process is gone. */
  kill9(): Promise<void>;
  /** Starts it again on the same port and store, killing it first when it still runs. */
  restart(): Promise<void>;
  /** Ends the server and its connections and removes its store. */
  stop(): Promise<void>;
}

export const LOG_PASSWORD = 'log-password-of-the-tests';
export const APP_PASSWORD = 'app-password-of-the-tests';
/** What opens the buses of the tests. */
export const BUS_SECRETS: BusSecrets = {
  logPassword: LOG_PASSWORD,
  appPassword: APP_PASSWORD,
  authPassword: 'auth-password-of-the-tests',
  sysPassword: 'sys-password-of-the-tests',
  issuerSeed: newAccountSeed(),
};
const PASSWORDS = {
  log: LOG_PASSWORD,
  app: APP_PASSWORD,
  auth: BUS_SECRETS.authPassword,
  sys: BUS_SECRETS.sysPassword,
} as const;
const START_LIMIT_MS = 20_000;
const REPOSITORY_CONF = join(import.meta.dirname, '../../nats.conf');

/** A test process that ends early, by its time limit say, takes its servers with it. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const server of running) server.kill('SIGKILL');
});

/** `store`: a folder to keep it in instead of one of its own; it is removed all the same. */
export async function startNats(options: { readonly conf?: string; readonly store?: string } = {}): Promise<TestNats> {
  const { path } = await findNatsServer();
  const store = options.store ?? (await mkdtemp(join(tmpdir(), 'muster-nats-')));
  const port = await freeLoopbackPort();
  const buses: Bus[] = [];
  let child = await launch();
  const url = `nats://127.0.0.1:${port}`;

  async function launch(): Promise<ChildProcess> {
    const env = {
      ...process.env,
      MUSTER_NATS_PORT: String(port),
      MUSTER_NATS_STORE: store,
      ...busServerVariables(BUS_SECRETS),
    };
    const started = spawn(path, ['-c', options.conf ?? REPOSITORY_CONF], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    running.add(started);
    started.once('exit', () => running.delete(started));
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
      const password = PASSWORDS[account];
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

/** Resolves once the server says that it is ready, JetStream recovered; rejects with its output when it ends first. */
async function untilReady(server: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let output = '';
  server.stderr?.on('data', (chunk: Buffer) => {
    if (output.length < 100_000) output += chunk.toString();
    if (output.includes('Server is ready')) resolve();
  });
  server.once('error', reject);
  server.once('close', () => reject(new Error(`nats-server ended:\n${output}`)));
  const timer = setTimeout(() => {
    server.kill('SIGKILL');
    reject(new Error(`nats-server was not ready within ${START_LIMIT_MS} ms:\n${output}`));
  }, START_LIMIT_MS);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}
