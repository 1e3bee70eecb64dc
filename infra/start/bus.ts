import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isWildcard } from '../httpAddress.ts';
import { busConfiguration, quoted, type BusListening } from './busConfiguration.ts';
import { busServerVariables, type BusSecrets } from './busSecrets.ts';
import { hasErrno, StartError, StartFailure } from './errors.ts';
import { keep, type Part } from './keeper.ts';
import { requireFreePort } from './ports.ts';
import { commandLine, endProcess, environmentOf, nameOf, type ProcessName } from './processes.ts';

export type BusOptions = {
  readonly program: string;
  /** The repository's configuration of nats-server. */
  readonly configuration: string;
  readonly listening: BusListening;
  readonly dataDir: string;
  readonly port: number;
  readonly secrets: BusSecrets;
  readonly say: (line: string) => void;
};

const CONNECT_EVERY_MS = 15;

/** Starts nats-server on the data folder and keeps it running. Ready when JetStream has recovered its streams. */
export async function startBus(options: BusOptions): Promise<Part<void>> {
  const store = join(options.dataDir, 'bus');
  await mkdir(store, { recursive: true, mode: 0o700 });
  await endOrphan(pidFile(options.dataDir), options.say);
  // Another server on this port would be taken for this one.
  const { host } = options.listening;
  await requireFreePort({ host, port: options.port }, 'MUSTER_NATS_PORT');
  const configuration = await busConfiguration(options.configuration, options.dataDir, options.listening);
  return keep({
    name: 'nats-server',
    say: options.say,
    messages: `in ${logFile(options.dataDir)}`,
    spawn: () => spawnServer({ ...options, configuration }, store),
    whenReady: (_child, signal) => untilServing(nearHost(host), options.port, signal),
  });
}

function pidFile(dataDir: string): string {
  return join(dataDir, 'nats-server.pid');
}

function logFile(dataDir: string): string {
  return join(dataDir, 'nats-server.log');
}

function spawnServer(options: BusOptions, store: string): ChildProcess {
  const { dataDir } = options;
  const args = ['--config', options.configuration, '--pid', pidFile(dataDir), '--log', logFile(dataDir)];
  // What it says before it logs goes to the same file. It must not hold the terminal, because it may outlive it.
  const log = openSync(logFile(dataDir), 'a', 0o600);
  try {
    return spawn(options.program, args, {
      // A process group of its own: Ctrl-C in a terminal must not end the bus before the gateway has finished with it.
      detached: true,
      stdio: ['ignore', log, log],
      env: {
        ...process.env,
        MUSTER_NATS_PORT: String(options.port),
        MUSTER_NATS_STORE: quoted(store),
        ...busServerVariables(options.secrets),
      },
    });
  } finally {
    closeSync(log);
  }
}

/**
 * A nats-server that a killed supervisor left behind holds the store. It is recognised by its process id file and by
 * the path of that file among its arguments, so no other nats-server of this machine is ever touched.
 */
export async function endOrphan(file: string, say: (line: string) => void): Promise<void> {
  const orphan = await serverOf(file);
  if (orphan === null) return;
  say(`stopping the nats-server that an earlier start left behind (process ${orphan.pid})`);
  await endProcess(orphan, 10_000);
}

/** The port of the nats-server that runs on the data folder, whoever started it; null: none does. */
export async function portOfRunningBus(dataDir: string): Promise<number | null> {
  const server = await serverOf(pidFile(dataDir));
  const port = Number(server === null ? undefined : (await environmentOf(server.pid))?.['MUSTER_NATS_PORT']);
  return Number.isInteger(port) ? port : null;
}

/** The nats-server that wrote its process id into this file and still runs. */
async function serverOf(file: string): Promise<ProcessName | null> {
  const text = await textOrUndefined(file);
  const pid = Number.parseInt(text ?? '', 10);
  if (!Number.isInteger(pid) || pid <= 1) return null;
  const server = await nameOf(pid);
  const args = await commandLine(pid);
  return args?.includes(file) === true ? server : null;
}

async function textOrUndefined(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** How this machine itself reaches what listens at a host. */
export function nearHost(host: string): string {
  if (host === '::') return '::1';
  return isWildcard(host) ? '127.0.0.1' : host;
}

/** Connects until the server greets with JetStream enabled. It listens only after the streams are recovered. */
async function untilServing(host: string, port: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const greeting = await greetingOf(host, port);
    if (greeting !== undefined) {
      if (greeting.includes('"jetstream":true')) return;
      throw new StartError(StartFailure.busFailed, `what listens on port ${port} is no nats-server with JetStream`);
    }
    await pause(CONNECT_EVERY_MS, undefined, { signal });
  }
}

/** The first line that a nats-server sends; undefined while nobody listens. */
function greetingOf(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.setTimeout(2000, () => socket.destroy());
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) socket.destroy();
    });
    socket.once('error', (error) => {
      if (hasErrno(error, 'ECONNREFUSED', 'ECONNRESET')) resolve(undefined);
      else reject(error);
    });
    socket.once('close', () => resolve(text === '' ? undefined : text));
  });
}

/** Refuses with a sentence when none of the servers of a bus that somebody else runs answers. */
export async function requireReachable(url: string): Promise<void> {
  const tried: string[] = [];
  for (const server of url.split(',')) {
    const { hostname, port } = new URL(server);
    try {
      if ((await greetingOf(hostname, port === '' ? 4222 : Number(port))) !== undefined) return;
      tried.push(`${server} (nobody listens)`);
    } catch (error) {
      tried.push(`${server} (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  throw new StartError(
    StartFailure.busNotReachable,
    `The bus of MUSTER_NATS_URL does not answer: ${tried.join(', ')}. Start it, or unset MUSTER_NATS_URL.`,
  );
}
