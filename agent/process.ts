import pino from 'pino';
import pretty from 'pino-pretty';
import { ConfigError, readConfig, type Config } from '../infra/config/config.ts';
import { realClock } from '../infra/clock.ts';
import type { AgentHost } from '../infra/agentIdentity.ts';
import { agentBus, agentBusOptions, BusLink } from './bus.ts';
import { isCredentialError, openCredential } from './credential.ts';
import type { AgentBus, AgentLog } from './ports.ts';
import packageFile from '../package.json' with { type: 'json' };

export const AGENT_VERSION = packageFile.version;

/** How long the start waits for the bus; afterwards the agents work without it until it is there. */
const BUS_WAIT_MS = 3000;

export interface AgentProcess {
  readonly config: Config;
  readonly log: AgentLog;
  /**
   * One of the agents in this process on the bus, with a connection of its own; it resolves when that is there, or a little later
   * without. Throws CredentialError.
   */
  readonly join: (agentId: string, host: AgentHost, secretFile: string) => Promise<AgentBus>;
  /** Aborts at SIGTERM and SIGINT, and when the process that started this one is gone. */
  readonly signal: AbortSignal;
  /** Tells the process that started this one that it serves; only the first call counts. */
  readonly ready: () => void;
}

/** What every agent process has around it: configuration, log, the bus, and an orderly end. */
export async function runAgentProcess(name: string, run: (around: AgentProcess) => Promise<void>): Promise<void> {
  const config = configOrExit();
  const log = logger(name, config.logLevel);
  const end = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => end.abort());
  process.once('disconnect', () => end.abort());
  let told = false;
  const ready = () => {
    if (told) return;
    told = true;
    process.send?.({ type: 'ready' });
  };
  const links: { readonly link: BusLink; readonly connecting: Promise<void> }[] = [];
  const { natsUrl: url = '', natsTls: tls, zone, managerTokenFile: managerToken } = config;
  const join = async (agentId: string, host: AgentHost, secret: string): Promise<AgentBus> => {
    const credential = await openCredential({ secret, managerToken });
    const link = new BusLink();
    const options = agentBusOptions({ url, tls }, agentId, host, credential);
    const connecting = link.connect(options, realClock, log, end.signal);
    links.push({ link, connecting });
    await Promise.race([connecting, realClock.sleep(BUS_WAIT_MS, end.signal)]);
    return agentBus(link, zone, agentId, credential.fingerprint, log);
  };
  try {
    await run({ config, log, join, signal: end.signal, ready });
  } catch (error) {
    if (isCredentialError(error)) log.error({}, `the agent cannot join: ${error.message}`);
    else log.error({ err: error }, 'the agent cannot work');
    process.exitCode = 1;
  }
  end.abort();
  await Promise.all(
    links.map(async ({ link, connecting }) => {
      await connecting;
      await link.close();
    }),
  );
  // An IPC channel would keep the process alive.
  if (process.connected) process.disconnect();
}

function configOrExit(): Config {
  try {
    const config = readConfig(process.env);
    if (config.natsUrl !== undefined) return config;
    throw new ConfigError([{ name: 'MUSTER_NATS_URL', message: 'must be set for an agent that is started by itself' }]);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

/** One line each: for people on a terminal, as JSON for programs. */
function logger(name: string, level: Config['logLevel']): AgentLog {
  if (!process.stdout.isTTY) return pino({ name, level });
  return pino({ name, level }, pretty({ ignore: 'pid,hostname', translateTime: 'HH:MM:ss', singleLine: true }));
}
