import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { findNatsServer } from '../tools/natsServer.ts';
import { isLoopback } from '../httpAddress.ts';
import { portOfRunningBus, startBus } from './bus.ts';
import type { BusListening } from './busConfiguration.ts';
import { busSecretsOf, type BusSecrets } from './busSecrets.ts';
import { openDataFolder, type DataFolder } from './dataFolder.ts';
import { StartError, StartFailure, hasErrno, isStartError } from './errors.ts';
import type { Part } from './keeper.ts';
import { freeLoopbackPort } from './ports.ts';

export interface DataBusOptions {
  readonly config: Config;
  readonly natsConfiguration: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface StartDataBusOptions extends DataBusOptions {
  readonly listening: BusListening;
}

/** The bus that keeps its streams in the data folder. */
export interface DataBus {
  readonly secrets: BusSecrets;
  readonly port: number;
  /** Of nats-server. */
  readonly version: string;
  readonly part: Part<void>;
}

/** Starts it, in a data folder that the caller has opened. It serves once its part is ready. */
export async function startDataBus(options: StartDataBusOptions): Promise<DataBus> {
  const { config, natsConfiguration, listening, say, signal } = options;
  const { dataDir, cacheDir } = config;
  const [server, secrets, port] = await Promise.all([
    findNatsServer({ env: { ...process.env, MUSTER_CACHE: cacheDir }, onProgress: say, signal }),
    secretsOf(config),
    config.natsPort ?? freeLoopbackPort(),
  ]);
  const starting = {
    program: server.path,
    configuration: natsConfiguration,
    listening,
    dataDir,
    port,
    secrets,
    say,
  };
  return { secrets, port, version: server.version, part: await startBus(starting) };
}

/** The bus of a data folder as somebody uses it who has not come to start Muster. */
export interface BorrowedBus {
  readonly url: string;
  readonly logPassword: string;
  /** Ends the bus when it was started for this. */
  readonly giveBack: () => Promise<void>;
  /** The same at once, by force. */
  readonly killNow: () => void;
}

const NOTE = 'which uses its bus for a moment';
const STOP_LIMIT_MS = 10_000;
/** Nobody else is to find a bus that is borrowed. */
const ON_LOOPBACK: BusListening = { host: '127.0.0.1', certificate: null };

/**
 * The bus that runs on the data folder, or else one that is started there until it is given back; meanwhile nobody can
 * start Muster on the folder. Throws StartError, with what to do.
 */
export async function borrowDataBus(options: DataBusOptions): Promise<BorrowedBus> {
  const { config } = options;
  const folder = await openUnlessRunning(config.dataDir);
  if (folder === null) return await runningBus(config);
  try {
    const { port, secrets, part } = await startDataBus({ ...options, listening: ON_LOOPBACK });
    const { logPassword } = secrets;
    const giveBack = async (): Promise<void> => {
      await part.stop(STOP_LIMIT_MS);
      await folder.release();
    };
    try {
      await Promise.race([part.ready, interruption(options.signal)]);
      return { url: urlOf(port), logPassword, giveBack, killNow: part.killNow };
    } catch (error) {
      await part.stop(STOP_LIMIT_MS);
      throw error;
    }
  } catch (error) {
    await folder.release();
    throw error;
  }
}

/** Whether a bus has ever kept its streams there. */
export async function hasDataBus(dataDir: string): Promise<boolean> {
  try {
    await access(join(dataDir, 'bus'));
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** Null: Muster runs on it. */
async function openUnlessRunning(dataDir: string): Promise<DataFolder | null> {
  try {
    return await openDataFolder(dataDir, NOTE);
  } catch (error) {
    if (isStartError(error, StartFailure.alreadyRunning)) return null;
    throw error;
  }
}

async function runningBus(config: Config): Promise<BorrowedBus> {
  const port = await portOfRunningBus(config.dataDir);
  if (port === null) {
    const message =
      `Muster runs on ${config.dataDir}, and its bus does not: name the bus in MUSTER_NATS_URL as that Muster has it, ` +
      'or wait until it has started.';
    throw new StartError(StartFailure.busNotReachable, message);
  }
  if (!isLoopback(config.natsHost)) {
    const message = 'The bus that runs speaks TLS: name it in MUSTER_NATS_URL (tls://…), with both passwords.';
    throw new StartError(StartFailure.busNotReachable, message);
  }
  const { logPassword } = await secretsOf(config);
  return { url: urlOf(port), logPassword, giveBack: async () => {}, killNow: () => {} };
}

/** Those of the data folder, where the configuration has no others. */
async function secretsOf(config: Config): Promise<BusSecrets> {
  const kept = await busSecretsOf(config.dataDir);
  return {
    logPassword: config.natsLogPassword ?? kept.logPassword,
    appPassword: config.natsAppPassword ?? kept.appPassword,
    authPassword: config.natsAuthPassword ?? kept.authPassword,
    sysPassword: config.natsSysPassword ?? kept.sysPassword,
    issuerSeed: config.natsIssuerSeed ?? kept.issuerSeed,
  };
}

function urlOf(port: number): string {
  return `nats://127.0.0.1:${port}`;
}

function interruption(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(new StartError(StartFailure.interrupted, 'stopped before the bus was ready'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
}
