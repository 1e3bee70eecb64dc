import { configEnvironment, type Config } from '../config/config.ts';
import { SECRETS_OF_GATEWAYS } from '../config/bus.ts';
import { gatewayUrl } from '../config/transport.ts';
import { requireReachable } from './bus.ts';
import { busGatewayVariables } from './busSecrets.ts';
import { busVariables, certificateOf, keepBusCertificate, listeningOf } from './busTls.ts';
import { buildDashboard, type Dashboard } from './dashboard.ts';
import { startDataBus } from './dataBus.ts';
import { openDataFolder } from './dataFolder.ts';
import { engineHint } from './engineHint.ts';
import { StartError, StartFailure } from './errors.ts';
import type { Part } from './keeper.ts';
import { startPart, type Entry } from './parts.ts';
import { requireFreePort } from './ports.ts';

export type StartOptions = {
  readonly config: Config;
  /** The repository's top folder. */
  readonly root: string;
  readonly entries: { readonly gateway: Entry; readonly agent: Entry };
  readonly dashboard: Dashboard | undefined;
  readonly natsConfiguration: string;
  /** Called with one line per step and per incident. */
  readonly say: (line: string) => void;
  /** Aborting it stops a start that is under way. */
  readonly signal: AbortSignal;
};

export type Muster = {
  readonly url: string;
  readonly signInUrl: string | undefined;
  readonly engine: string;
  /** Resolves when the agent has checked in, which the address does not wait for; rejects when it never will. */
  readonly agentReady: Promise<void>;
  /** Ends agent, gateway and bus, in this order. */
  readonly stop: () => Promise<void>;
  readonly killNow: () => void;
};

/** How long each part may take to end by itself, in milliseconds. */
const STOP_LIMITS = { agent: 5000, gateway: 10_000, bus: 10_000 } as const;

type Started = { readonly stop: () => Promise<void>; readonly killNow: () => void };

/** Everything that was started, stopped in reverse order, each once. */
function stack(): { readonly push: (part: Started) => void; readonly all: Started } {
  const parts: Started[] = [];
  let stopping: Promise<void> | undefined;
  const inOrder = async (): Promise<void> => {
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) await part.stop();
  };
  return {
    push: (part) => parts.push(part),
    all: {
      stop: () => (stopping ??= inOrder()),
      killNow: () => parts.forEach((part) => part.killNow()),
    },
  };
}

/** Starts the bus, the gateway and the agent of this machine and keeps them running. */
export async function startMuster(options: StartOptions): Promise<Muster> {
  const { config, say } = options;
  const started = stack();
  const url = gatewayUrl(config);
  try {
    const [bus, dashboard, engine] = await settleAll([
      prepareBus(options, url, started.push),
      prepareDashboard(options),
      config.simulated ? Promise.resolve('none: the agents are simulated') : engineHint(config.dockerHost),
    ]);
    if (dashboard) say('dashboard built');
    const environment = { ...configEnvironment(config), ...bus };
    const common = { cwd: options.root, say };
    const { entries } = options;
    const gateway = startPart({ ...common, name: 'gateway', entry: entries.gateway, environment });
    started.push(stopWithin(gateway, STOP_LIMITS.gateway));
    const ready = await untilReady('gateway', gateway, options);
    say('gateway ready');
    const agent = startPart({
      ...common,
      name: 'agent',
      entry: entries.agent,
      environment: forAgent(environment, config),
    });
    started.push(stopWithin(agent, STOP_LIMITS.agent));
    const agentReady = untilReady('agent', agent, options).then(() => undefined);
    return { url: ready.url ?? url, signInUrl: ready.signInUrl, engine, agentReady, ...started.all };
  } catch (error) {
    await started.all.stop();
    throw error;
  }
}

async function prepareDashboard(options: StartOptions): Promise<boolean> {
  if (options.dashboard === undefined) return false;
  return buildDashboard(options.root, options.dashboard, options.say, options.signal);
}

/** Opens the data folder, starts the bus in it, and returns what the children must know about it. */
async function prepareBus(
  options: StartOptions,
  url: string,
  push: (part: Started) => void,
): Promise<Readonly<Record<string, string>>> {
  const { config, say } = options;
  const folder = await openDataFolder(config.dataDir, url);
  push({ stop: folder.release, killNow: () => undefined });
  if (folder.warning !== undefined) say(`warning: ${folder.warning}`);
  const certificate = await certificateOf(config);
  await requireFreePort(config.http, 'MUSTER_HTTP');
  if (config.natsUrl !== undefined) {
    await requireReachable(config.natsUrl);
    return {};
  }
  const listening = listeningOf(config);
  const { part, port, version, secrets } = await startDataBus({ ...options, listening });
  push(stopWithin(part, STOP_LIMITS.bus));
  await untilReady('bus', part, options);
  say(`bus ready (nats-server ${version}, port ${port})`);
  const { certificate: files } = listening;
  if (certificate !== null && files !== null) {
    const end = keepBusCertificate(files, certificate, part, options);
    push({ stop: async () => end(), killNow: end });
  }
  return {
    ...busVariables(config, port, certificate),
    ...busGatewayVariables(secrets),
  };
}

function stopWithin(part: Part<unknown>, limitMs: number): Started {
  return { stop: () => part.stop(limitMs), killNow: part.killNow };
}

/** Like Promise.all, but none of them is still at work when it rejects, so what they started can be stopped. */
async function settleAll<const T extends readonly unknown[]>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/**
 * The agent runs where user containers run; what opens the bus, the event logs and the API stays out of its environment. Simulated
 * agents have no containers: theirs tells of a past day, which is more than an agent may.
 */
function forAgent(
  environment: Readonly<Record<string, string>>,
  { simulated }: Pick<Config, 'simulated'>,
): Readonly<Record<string, string>> {
  const kept = simulated ? ['MUSTER_NATS_APP_PASSWORD'] : [];
  const secret = new Set(
    [...SECRETS_OF_GATEWAYS, 'MUSTER_EVENT_LOG', 'MUSTER_ADMIN_KEY'].filter((name) => !kept.includes(name)),
  );
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !secret.has(name)));
}

const STILL_EVERY_MS = 5000;

/** Waits for a part, says every few seconds that it still does, and rejects when the start is interrupted. */
async function untilReady<T>(name: string, part: Part<T>, options: StartOptions): Promise<T> {
  const { say, signal } = options;
  const interrupted = Promise.withResolvers<never>();
  const stop = (): void => interrupted.reject(new StartError(StartFailure.interrupted, 'stopped before it was ready'));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const ticker = setInterval(() => say(`still waiting for the ${name}`), STILL_EVERY_MS);
  try {
    return await Promise.race([part.ready, interrupted.promise]);
  } finally {
    clearInterval(ticker);
    signal.removeEventListener('abort', stop);
  }
}
