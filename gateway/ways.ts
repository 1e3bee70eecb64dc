import type { Logger } from 'pino';
import { connectBus, type Bus } from '../infra/bus/connect.ts';
import type { Config } from '../infra/config/config.ts';
import { openEventLog } from '../infra/log/open.ts';
import type { OpenedLog } from '../infra/log/openedLog.ts';
import type { Core } from './core/core.ts';

/** What a gateway reaches the world through: the bus by all of its accounts, and the store of the event logs. */
export interface Ways extends Buses {
  readonly log: OpenedLog;
}

/** One connection for each account. */
interface Buses {
  /** The event logs have an account of their own, which no agent and no session can reach. */
  readonly logBus: Bus;
  readonly appBus: Bus;
  /** Where gateways are asked who may enter. */
  readonly authBus: Bus;
  /** The server's own: who is connected, and closing that. */
  readonly sysBus: Bus;
}

interface Opening {
  readonly config: Config;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Connects to the bus, then to the store, and waits for either; what keeps the store away is told. Rejects with
 * EventLogRefused when waiting for it does not help.
 */
export async function openWays({ config, log, signal }: Opening): Promise<Ways> {
  const buses = await connectAll(config, signal);
  const { replicas, eventLog: place } = config;
  try {
    const opened = openEventLog({ place, bus: buses.logBus, replicas, name: 'gateway' });
    try {
      await opened.ready({ signal, onWait: (why) => log.warn(`waiting for the event store: ${why}`) });
      return { ...buses, log: opened };
    } catch (error) {
      await opened.close();
      throw error;
    }
  } catch (error) {
    await closeAll(buses);
    throw error;
  }
}

async function connectAll(config: Config, signal: AbortSignal): Promise<Buses> {
  const of = (account: string, password: string | undefined): Promise<Bus> =>
    connectBus({
      url: config.natsUrl ?? '',
      user: `muster-${account}`,
      password: password ?? '',
      name: `gateway ${account}`,
      tls: config.natsTls,
      signal,
    });
  const opening = [
    of('log', config.natsLogPassword),
    of('app', config.natsAppPassword),
    of('auth', config.natsAuthPassword),
    of('sys', config.natsSysPassword),
  ] as const;
  try {
    const [logBus, appBus, authBus, sysBus] = await Promise.all(opening);
    return { logBus, appBus, authBus, sysBus };
  } catch (error) {
    for (const each of await Promise.allSettled(opening)) if (each.status === 'fulfilled') await each.value.close();
    throw error;
  }
}

async function closeAll({ logBus, appBus, authBus, sysBus }: Buses): Promise<void> {
  await Promise.all([logBus, appBus, authBus, sysBus].map((bus) => bus.close()));
}

/** Why nothing can be changed now, and what to do; null when everything is there. */
export function whyNotReady({ logBus, appBus, log }: Ways): string | null {
  return logBus.isConnected() && appBus.isConnected() ? log.away() : 'the bus is away';
}

/** Whether agents are heard and what they say can be recorded: only then does time pass for them. */
export function isHearing({ appBus, log }: Ways): boolean {
  return appBus.isConnected() && log.away() === null;
}

/** Tells the core and the operator what goes and what comes back, until the signal aborts. */
export function watchWays(ways: Ways, core: Core, log: Logger, signal: AbortSignal): void {
  const changed = (news: string): void => {
    if (isHearing(ways)) core.freshWindow();
    else core.pause();
    if (!signal.aborted) log.warn(news);
  };
  const away = 'sessions go on, changes must wait';
  ways.appBus.onChange((connected) => changed(connected ? 'the bus is back' : `the bus is away; ${away}`));
  ways.log.onChange((why) => changed(why === null ? 'the event store is back' : `${why}; ${away}`));
}

export async function closeWays(ways: Ways): Promise<void> {
  await ways.log.close();
  await closeAll(ways);
}
