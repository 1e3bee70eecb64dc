import type { AgentBus } from '../../agent/ports.ts';
import type { CheckIn } from '../../domain/checkIn.ts';
import type { DesiredDocument } from '../../domain/desired.ts';
import type { Clock } from '../../infra/clock.ts';
import type { Faults } from './faults.ts';
import type { Random } from './random.ts';

export interface BusOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: Faults;
  /** `receivedAt`: when the bus first had it, in milliseconds. */
  readonly deliver: (checkIn: CheckIn, receivedAt: number) => void;
}

/** What the bus keeps for one agent. */
interface Mailbox {
  document: DesiredDocument | null;
  readonly watchers: Set<(document: DesiredDocument) => void>;
  last: { readonly checkIn: CheckIn; readonly receivedAt: number } | null;
  /** When the last message so far is delivered: the stream keeps its order. */
  lastDelivery: number;
  away: boolean;
}

/**
 * Check-ins up and documents down, with loss, delay and repetition. What the real bus guarantees holds here too: an
 * agent's check-ins come in the order in which they were stored, and a document is never replaced by an older one.
 */
export class SimulatedBus {
  readonly #options: BusOptions;
  readonly #mailboxes = new Map<string, Mailbox>();

  constructor(options: BusOptions) {
    this.#options = options;
  }

  /** The agent's end. */
  agentBus(agentId: string): AgentBus {
    const box = this.#box(agentId);
    const { random, faults, clock } = this.#options;
    return {
      publish: async (checkIn) => {
        await clock.sleep(random.int(0, 3));
        if (box.away) return false;
        this.#send(box, checkIn, clock.now());
        if (random.chance(faults.duplicateCheckIn)) this.#send(box, checkIn, clock.now());
        return true;
      },
      readDesired: async () => {
        await clock.sleep(random.int(1, 10));
        if (box.away) throw new Error('the bus is away');
        return box.document;
      },
      watchDesired: (onDocument, signal) => {
        box.watchers.add(onDocument);
        signal.addEventListener('abort', () => box.watchers.delete(onDocument), { once: true });
      },
    };
  }

  /** The gateway's end. */
  async put(document: DesiredDocument): Promise<void> {
    const { clock, random, faults } = this.#options;
    await clock.sleep(random.int(1, 10));
    if (random.chance(faults.failedPut)) throw new Error('the bus did not take the document');
    const box = this.#box(document.agentId);
    if (box.document !== null && box.document.version > document.version) return;
    box.document = document;
    await clock.sleep(random.int(1, faults.longestDelayMs));
    if (box.away) return;
    for (const watcher of box.watchers) watcher(document);
  }

  documentOf(agentId: string): DesiredDocument | null {
    return this.#box(agentId).document;
  }

  setAway(agentId: string, away: boolean): void {
    this.#box(agentId).away = away;
  }

  /** The newest word of every agent: where a gateway begins to listen that has just started. */
  get newest(): readonly { readonly checkIn: CheckIn; readonly receivedAt: number }[] {
    return [...this.#mailboxes.values()].flatMap(({ last }) => (last === null ? [] : [last]));
  }

  #send(box: Mailbox, checkIn: CheckIn, receivedAt: number): void {
    const { clock, random, faults, deliver } = this.#options;
    if (random.chance(faults.lostCheckIn)) return;
    const at = Math.max(box.lastDelivery, clock.now() + random.int(1, faults.longestDelayMs));
    box.lastDelivery = at;
    void clock.sleep(at - clock.now()).then(() => {
      const last = box.last?.checkIn;
      if (last === undefined || last.bootId !== checkIn.bootId || last.seq < checkIn.seq)
        box.last = { checkIn, receivedAt };
      deliver(checkIn, receivedAt);
    });
  }

  #box(agentId: string): Mailbox {
    let box = this.#mailboxes.get(agentId);
    if (box === undefined) {
      box = { document: null, watchers: new Set(), last: null, lastDelivery: 0, away: false };
      this.#mailboxes.set(agentId, box);
    }
    return box;
  }
}
