import { agentClientName, type AgentHost } from '../infra/agentIdentity.ts';
import type { DesiredDocument } from '../domain/desired.ts';
import { askDefinitions, askDesired, isNotPermitted } from '../infra/bus/agentAsk.ts';
import { publishCheckIn } from '../infra/bus/checkIns.ts';
import { connectBus, type Bus, type BusOptions } from '../infra/bus/connect.ts';
import { watchDesired } from '../infra/bus/desired.ts';
import { answerWithOutput, hearOutputCalls } from '../infra/bus/outputCalls.ts';
import { answerPrune, hearPruneCalls } from '../infra/bus/pruneCalls.ts';
import { BusError, BusErrorCode, isBusRefused } from '../infra/bus/errors.ts';
import type { Clock } from '../infra/clock.ts';
import { agentInbox, checkInPlace } from '../infra/names.ts';
import type { Credential } from './credential.ts';
import type { AgentBus, AgentLog } from './ports.ts';

const REFUSED_PAUSE_MS = 5000;

/** How an agent connects: as itself, and so that answers find it. */
export function agentBusOptions(
  where: Pick<BusOptions, 'url' | 'tls'>,
  agentId: string,
  host: AgentHost,
  credential: Pick<Credential, 'password'>,
): Omit<BusOptions, 'signal'> {
  return {
    ...where,
    user: agentId,
    password: () => credential.password(),
    name: agentClientName(host),
    inboxPrefix: agentInbox(agentId),
  };
}

/** The connection of one agent, which may not be there yet: an agent works without the bus from its very start. */
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

  /**
   * Connects, for as long as it takes. A bus that refuses the agent may let it in later: when a gateway runs again, when the token
   * was mended, when there is room among those that wait for approval.
   */
  async connect(options: Omit<BusOptions, 'signal'>, clock: Clock, log: AgentLog, signal: AbortSignal): Promise<void> {
    let told = false;
    let toldAway = false;
    // Once per outage: it may last for days, and every further try says the same.
    const onRefused = (): void => {
      if (!told) log.error({ agentId: options.user }, REFUSED);
      told = true;
    };
    const onForbidden = (subject: string): void => {
      const zone = checkInPlace(subject)?.zone;
      if (zone === undefined || told) return;
      log.error({ agentId: options.user }, `${NO_SUCH_ZONE}: MUSTER_ZONE is ${zone}`);
      told = true;
    };
    const onUnanswered = (): void => {
      if (!toldAway) log.warn({ agentId: options.user }, `no bus answers at ${options.url}; ${AWAY}`);
      toldAway = true;
    };
    while (!signal.aborted) {
      try {
        const bus = await connectBus({ ...options, onRefused, onForbidden, onUnanswered, signal });
        told = false;
        bus.onChange((connected) => {
          if (connected) told = false;
        });
        this.#bus = bus;
        for (const callback of this.#waiting) callback(bus);
        this.#waiting.clear();
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (isBusRefused(error)) onRefused();
        else log.error({ err: error }, 'no connection to the bus');
        await clock.sleep(REFUSED_PAUSE_MS, signal);
      }
    }
  }

  async close(): Promise<void> {
    await this.#bus?.close();
  }
}

const AWAY =
  'this agent works without it and tries again. See that it runs there, and that the way to it, a tunnel say, is open';

const REFUSED =
  'the bus does not let this agent in; trying again. Either no gateway runs, or the manager token is not valid, or this agent was ' +
  'revoked, or it has said more than an agent may within a minute, or another host has its id, or too many agents wait for approval: ' +
  'npx muster log --log fleet sums up which';

const NO_SUCH_ZONE = 'the bus does not take the check-ins of this agent, since there is no such zone';

/** One agent's side of the connection. */
export function agentBus(link: BusLink, zone: string, agentId: string, fingerprint: string, log: AgentLog): AgentBus {
  let waits = false;

  /** Said once, however often it is asked in vain. */
  function tellOfWaiting(): void {
    if (!waits) {
      log.warn({ agentId, fingerprint }, `${agentId} waits for its approval; its fingerprint is ${fingerprint}`);
    }
    waits = true;
  }

  async function read(): Promise<DesiredDocument | null> {
    if (link.bus === null) throw new BusError(BusErrorCode.Disconnected, 'the bus has not been reached yet');
    try {
      const { document } = await askDesired(link.bus, agentId);
      if (waits) log.info({ agentId }, `${agentId} was approved`);
      waits = false;
      return document;
    } catch (error) {
      if (!isNotPermitted(error)) throw error;
      tellOfWaiting();
      return null;
    }
  }

  /** What was written while the connection was away, its first document for one that was approved meanwhile. */
  async function readMissed(onDocument: (document: DesiredDocument) => void): Promise<void> {
    try {
      const document = await read();
      if (document !== null) onDocument(document);
    } catch (error) {
      log.info({ err: error }, 'the bus is back and did not give the desired document; it is read within two minutes');
    }
  }

  function understood<T>(onCall: (call: T) => void): (call: T | null) => void {
    return (call) => {
      if (call === null) log.warn({ agentId }, 'a call of a gateway was not understood; is this agent older?');
      else onCall(call);
    };
  }

  /** The bus refuses one that waits for its approval, as with the document; it is connected anew with it. */
  function hearCalls(signal: AbortSignal, begin: (bus: Bus, onRefused: () => void) => () => void): void {
    const unwish = link.whenThere((bus) => {
      let refused = false;
      const hear = () => begin(bus, () => (refused = true));
      let end = hear();
      const unhear = bus.onChange((connected) => {
        if (!connected || !refused) return;
        refused = false;
        end();
        end = hear();
      });
      signal.addEventListener('abort', () => (unhear(), end()), { once: true });
    });
    signal.addEventListener('abort', unwish, { once: true });
  }

  return {
    publish: (checkIn) => Promise.resolve(link.bus !== null && publishCheckIn(link.bus, zone, checkIn)),
    readDesired: read,
    watchDesired(onDocument, signal) {
      const onProblem = (error: BusError): void => {
        if (isNotPermitted(error)) tellOfWaiting();
        else log.error({ err: error }, 'a desired document was not understood');
      };
      let unwatch = () => {};
      const unwish = link.whenThere((bus) => {
        let end = watchDesired(bus, agentId, { onDocument, onProblem });
        // The bus ends a subscription that is not permitted; with its approval an agent is connected anew.
        const unhear = bus.onChange((connected) => {
          if (!connected) return;
          if (waits) {
            end();
            end = watchDesired(bus, agentId, { onDocument, onProblem });
          }
          void readMissed(onDocument);
        });
        unwatch = () => {
          unhear();
          end();
        };
      });
      const end = () => {
        unwish();
        unwatch();
      };
      signal.addEventListener('abort', end, { once: true });
    },
    hearOutputCalls(onCall, signal) {
      hearCalls(signal, (bus, onRefused) => hearOutputCalls(bus, agentId, understood(onCall), onRefused));
    },
    answerWithOutput(callId, answer) {
      if (link.bus !== null) answerWithOutput(link.bus, agentId, callId, answer);
    },
    async askDefinitions() {
      if (link.bus === null) return null;
      try {
        return await askDefinitions(link.bus, agentId);
      } catch (error) {
        if (!isNotPermitted(error)) throw error;
        tellOfWaiting();
        return null;
      }
    },
    hearPruneCalls(onCall, signal) {
      hearCalls(signal, (bus, onRefused) => hearPruneCalls(bus, agentId, understood(onCall), onRefused));
    },
    answerPrune(callId, answer) {
      if (link.bus !== null) answerPrune(link.bus, agentId, callId, answer);
    },
  };
}
