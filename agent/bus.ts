import type { DesiredDocument } from '../domain/desired.ts';
import { publishCheckIn } from '../infra/bus/checkIns.ts';
import { connectBus, type Bus, type BusOptions } from '../infra/bus/connect.ts';
import { readDesired, watchDesired } from '../infra/bus/desired.ts';
import { BusError, BusErrorCode } from '../infra/bus/errors.ts';
import type { Clock } from '../infra/clock.ts';
import type { AgentBus, AgentLog } from './ports.ts';

const REFUSED_PAUSE_MS = 5000;

/** The connection of this process, which may not be there yet: an agent works without the bus from its very start. */
export class BusLink {
  #bus: Bus | null = null;
  readonly #waiting = new Set<(bus: Bus) => void>();

  get bus(): Bus | null {
    return this.#bus;
  }

  /** Calls back once, at once when the connection is there. The result takes the wish back. */
  whenThere(callback: (bus: Bus) => void): () => void {
    if (this.#bus !== null) callback(this.#bus);
    else this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }

  /** Connects, for as long as it takes. A bus that refuses the password may be given the right one yet. */
  async connect(options: Omit<BusOptions, 'signal'>, clock: Clock, log: AgentLog, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#bus = await connectBus({ ...options, signal });
        for (const callback of this.#waiting) callback(this.#bus);
        this.#waiting.clear();
        return;
      } catch (error) {
        if (signal.aborted) return;
        log.error({ err: error }, 'no connection to the bus');
        await clock.sleep(REFUSED_PAUSE_MS, signal);
      }
    }
  }

  async close(): Promise<void> {
    await this.#bus?.close();
  }
}

/** One agent's side of the connection. */
export function agentBus(link: BusLink, zone: string, agentId: string, log: AgentLog): AgentBus {
  return {
    publish: (checkIn) => Promise.resolve(link.bus !== null && publishCheckIn(link.bus, zone, checkIn)),
    async readDesired(): Promise<DesiredDocument | null> {
      if (link.bus === null) throw new BusError(BusErrorCode.Disconnected, 'the bus has not been reached yet');
      return await readDesired(link.bus, agentId);
    },
    watchDesired(onDocument, signal) {
      const onProblem = (error: BusError) => log.error({ err: error }, 'a desired document was not understood');
      let unwatch = () => {};
      const unwish = link.whenThere((bus) => {
        unwatch = watchDesired(bus, agentId, { onDocument, onProblem });
      });
      const end = () => {
        unwish();
        unwatch();
      };
      signal.addEventListener('abort', end, { once: true });
    },
  };
}
