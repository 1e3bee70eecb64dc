import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { hasErrno, StartError, StartFailure } from './errors.ts';
import { keep, type Part } from './keeper.ts';
import { requireFreePort } from './ports.ts';
import { commandLine, endProcess, nameOf } from './processes.ts';

export type BusOptions = {
  readonly program: string;
  readonly configuration: string;
  readonly dataDir: string;
  readonly port: number;
  readonly logPassword: string;
  readonly appPassword: string;
  readonly say: (line: string) => void;
};

const CONNECT_EVERY_MS = 15;

/** Starts nats-server on the data folder and keeps it running. Ready when JetStream has recovered its streams. */
export async function startBus(options: BusOptions): Promise<Part<void>> {
  const store = join(options.dataDir, 'bus');
  await mkdir(store, { recursive: true, mode: 0o700 });
  await endOrphan(pidFile(options.dataDir), options.say);
  // Another server on this port would be taken for this one.
  await requireFreePort({ host: '127.0.0.1', port: options.port }, 'MUSTER_NATS_PORT');
  return keep({
    name: 'nats-server',
    say: options.say,
    messages: `in ${logFile(options.dataDir)}`,
    spawn: () => spawnServer(options, store),
    whenReady: (_child, signal) => untilServing(options.port, signal),
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
        MUSTER_NATS_LOG_PASSWORD: quoted(options.logPassword),
        MUSTER_NATS_APP_PASSWORD: quoted(options.appPassword),
      },
    });
  } finally {
    closeSync(log);
  }
}

/** nats-server parses a variable's value like its configuration file; in quotes it stays a text. */
export function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/**
 * A nats-server that a killed supervisor left behind holds the store. It is recognised by its process id file and by
 * the path of that file among its arguments, so no other nats-server of this machine is ever touched.
 */
export async function endOrphan(file: string, say: (line: string) => void): Promise<void> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return;
    throw error;
  }
  const pid = Number.parseInt(text, 10);
  if (!Number.isInteger(pid) || pid <= 1) return;
  const orphan = await nameOf(pid);
  const args = await commandLine(pid);
  if (args === undefined || !args.includes(file)) return;
  say(`stopping the nats-server that an earlier start left behind (process ${pid})`);
  await endProcess(orphan, 10_000);
}

/** Connects until the server greets with JetStream enabled. It listens only after the streams are recovered. */
async function untilServing(port: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const greeting = await greetingOf('127.0.0.1', port);
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
