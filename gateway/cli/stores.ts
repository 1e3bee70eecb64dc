import { join } from 'node:path';
import { connectBus } from '../../infra/bus/connect.ts';
import type { Config } from '../../infra/config/config.ts';
import { connectionProblem, hostsOf } from '../../infra/eventStore/connectionString.ts';
import { createJetStreamLog } from '../../infra/log/jetstream/jetStreamLog.ts';
import { openEventStoreLog } from '../../infra/log/eventStore/open.ts';
import type { EventLog } from '../../infra/log/port.ts';
import { borrowDataBus, hasDataBus } from '../../infra/start/dataBus.ts';
import { CliError, ExitCode } from './exitCodes.ts';

/** A store of event logs as it was named on the command line; a bus without `url` is the one of the data folder. */
export type StorePlace =
  | { readonly kind: 'bus'; readonly url: string | null }
  | { readonly kind: 'eventStore'; readonly url: string };

/** A store of which the logs can be read and written. */
export interface OpenStore {
  readonly log: EventLog;
  /** Which store it is and where, without its password. */
  readonly shown: string;
  close(): Promise<void>;
  /** Ends by force what was started for it. */
  killNow(): void;
}

export interface Opening {
  readonly config: Config;
  readonly signal: AbortSignal;
  /** Told what is waited for. */
  readonly say: (line: string) => void;
}

const NATS_CONFIGURATION = join(import.meta.dirname, '../../nats.conf');
const CONNECT_WITHIN_MS = 10_000;
const BUS_URL = /^(nats|tls):\/\/[^\s,/@]+(,(nats|tls):\/\/[^\s,/@]+)*$/;

/**
 * The store that `text` names: the word `nats` or `esdb` for the one of the configuration, or an address. Throws CliError; says
 * nothing of a text that may hold a password.
 */
export function placeOf(option: string, text: string, config: Config): StorePlace {
  if (text === 'nats') return { kind: 'bus', url: config.natsUrl ?? null };
  if (text === 'esdb') {
    if (config.eventLog.kind === 'eventStore') return config.eventLog;
    const lines = ['Set MUSTER_EVENT_LOG to its connection string, for this command too.'];
    throw new CliError(ExitCode.usage, `${option} esdb: the configuration names no EventStoreDB`, lines);
  }
  if (text.includes('@')) {
    throw new CliError(ExitCode.usage, `${option} must not have a user and password in it`, [
      'Everybody on this machine can read the command line. Set MUSTER_EVENT_LOG to it and say esdb, or for a bus set',
      'MUSTER_NATS_LOG_PASSWORD; both may stand in the file that MUSTER_CONFIG names.',
    ]);
  }
  if (BUS_URL.test(text)) return { kind: 'bus', url: text };
  if (!text.startsWith('esdb')) {
    const takes = 'nats, esdb, an address like nats://host:4222, or one like esdb://host:2113';
    throw new CliError(ExitCode.usage, `${option} takes ${takes}, not "${text}"`);
  }
  const problem = connectionProblem(text);
  if (problem !== null) throw new CliError(ExitCode.usage, `${option} ${problem}`);
  return { kind: 'eventStore', url: text };
}

export function isSamePlace(one: StorePlace, other: StorePlace): boolean {
  return one.kind === other.kind && one.url === other.url;
}

/**
 * Opens a store, waiting a little for it. Rejects with CliError, BusError, LogError LOG_UNAVAILABLE, EventLogRefused or
 * StartError.
 */
export async function openStore(place: StorePlace, role: 'source' | 'target', opening: Opening): Promise<OpenStore> {
  if (place.kind === 'eventStore') return await openEventStore(place.url, opening);
  if (place.url !== null) return await openBus(place.url, passwordOf(opening.config), opening);
  const { config } = opening;
  if (role === 'source' && !(await hasDataBus(config.dataDir))) {
    throw new CliError(ExitCode.notFound, `there is no bus in ${config.dataDir}, so there are no logs to copy`, [
      'Name another folder with MUSTER_DATA, or a bus that runs with MUSTER_NATS_URL.',
    ]);
  }
  const bus = await borrowDataBus({ ...opening, natsConfiguration: NATS_CONFIGURATION });
  try {
    const store = await openBus(bus.url, bus.logPassword, opening);
    return {
      ...store,
      shown: `NATS JetStream in ${config.dataDir}`,
      async close() {
        await store.close();
        await bus.giveBack();
      },
      killNow: () => bus.killNow(),
    };
  } catch (error) {
    await bus.giveBack();
    throw error;
  }
}

function passwordOf({ natsLogPassword }: Config): string {
  if (natsLogPassword !== undefined) return natsLogPassword;
  const lines = [
    'It is the password of the user muster-log: logPassword in bus.json of the data folder it was made in, or a line of the',
    'gateway-secrets.env that muster bus-secrets wrote.',
  ];
  throw new CliError(ExitCode.usage, 'MUSTER_NATS_LOG_PASSWORD must be set to use a bus that already runs', lines);
}

async function openBus(url: string, password: string, { config, signal }: Opening): Promise<OpenStore> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_WITHIN_MS)]);
  const { natsTls: tls } = config;
  const bus = await connectBus({ url, user: 'muster-log', password, name: 'log copy', tls, signal: patience });
  const log = createJetStreamLog({ bus, replicas: config.replicas });
  return {
    log,
    shown: `NATS JetStream at ${url}`,
    async close() {
      await log.close();
      await bus.close();
    },
    killNow: () => {},
  };
}

async function openEventStore(url: string, { signal, say }: Opening): Promise<OpenStore> {
  const opened = openEventStoreLog({ url, name: 'log copy' });
  try {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_WITHIN_MS)]);
    await opened.ready({ signal: patience, onWait: (why) => say(`waiting: ${why}`) });
    const shown = `EventStoreDB at ${hostsOf(url)}`;
    return { log: opened.eventLog, shown, close: () => opened.close(), killNow: () => {} };
  } catch (error) {
    await opened.close();
    throw error;
  }
}
