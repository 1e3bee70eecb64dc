import { isDeepStrictEqual } from 'node:util';
import type { AgentBus } from '../../agent/ports.ts';
import type { CheckIn } from '../../domain/checkIn.ts';
import type { DesiredDocument } from '../../domain/desired.ts';
import type { Clock } from '../../infra/clock.ts';
import type { PruneCall } from '../../infra/bus/pruneCalls.ts';
import type { Faults } from './faults.ts';
import { JOB_IMAGES, LOCAL_IMAGE } from './images.ts';
import type { Random } from './random.ts';

export interface BusOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: Faults;
  /** Told of every document that a gateway writes. */
  readonly onDocument: (document: DesiredDocument) => void;
  /** An agent, or everybody, has lost the bus: what was in is in no more. */
  readonly onLost: (agentId: string | null) => void;
}

/** As what a program is in just now. */
type Standing = () => 'out' | 'pending' | 'approved';

/** A gateway's end. `receivedAt`: when the bus first had it, in milliseconds. */
export interface Listener {
  hear(checkIn: CheckIn, receivedAt: number): void;
  /** The bus went away, or is back. */
  busChanged(): void;
}

interface StoredCheckIn {
  readonly checkIn: CheckIn;
  readonly receivedAt: number;
}

/** What the bus keeps for one agent. */
interface Mailbox {
  document: DesiredDocument | null;
  readonly watchers: Set<(document: DesiredDocument) => void>;
  readonly pruners: Set<(call: PruneCall) => void>;
  last: StoredCheckIn | null;
  /** When the last message of each boot so far arrives: a connection keeps its order. */
  readonly lastArrival: Map<string, number>;
  away: boolean;
}

const CALM_DELAY_MS = 20;
const OVERTAKEN_MS = 8000;

/**
 * Check-ins up and documents down, with loss, delay and repetition. What the real bus guarantees holds here too: what one
 * boot sends arrives in order, every gateway hears what is stored in the order in which it was stored, each at its own
 * pace, and a document is never replaced by an older one of the same log.
 */
export class SimulatedBus {
  readonly #options: BusOptions;
  readonly #mailboxes = new Map<string, Mailbox>();
  readonly #listeners = new Map<Listener, Promise<void>>();
  /** Every check-in that was ever sent, by the key under which it is decided. */
  readonly sent = new Map<string, CheckIn>();
  #isAway = false;

  constructor(options: BusOptions) {
    this.#options = options;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  setAway(away: boolean): void {
    if (this.#isAway === away) return;
    this.#isAway = away;
    if (away) this.#options.onLost(null);
    for (const listener of this.#listeners.keys()) listener.busChanged();
  }

  cutOff(agentId: string, away: boolean): void {
    this.#box(agentId).away = away;
    if (away) this.#options.onLost(agentId);
  }

  isCutOff(agentId: string): boolean {
    return this.#isAway || this.#box(agentId).away;
  }

  /** The bucket with the desired documents is gone, and is there again, empty. */
  wipe(): void {
    for (const box of this.#mailboxes.values()) box.document = null;
  }

  documentOf(agentId: string): DesiredDocument | null {
    return this.#box(agentId).document;
  }

  /** Lost, when the agent cannot be reached. */
  callForPrune(agentId: string, call: PruneCall): void {
    const box = this.#box(agentId);
    if (box.away || this.#isAway) return;
    for (const pruner of box.pruners) pruner(call);
  }

  /** Somebody says something in the name of an agent, who may. */
  say(checkIn: CheckIn): void {
    const { random, faults } = this.#options;
    this.sent.set(checkInKey(checkIn), checkIn);
    if (!random.chance(faults['lost message'])) void this.#travel(this.#box(checkIn.agentId), checkIn);
  }

  /** The agent's end. What it may, its standing says. */
  agentBus(agentId: string, standing: Standing): AgentBus {
    const box = this.#box(agentId);
    const { random, clock } = this.#options;
    const isOut = (): boolean => box.away || this.#isAway || standing() === 'out';
    const mayHear = (): boolean => standing() === 'approved';
    return {
      publish: async (checkIn) => {
        await clock.sleep(random.int(0, 3));
        if (isOut()) return false;
        this.say(checkIn);
        return true;
      },
      readDesired: async () => {
        await clock.sleep(random.int(1, 10));
        if (isOut()) throw new Error('the bus is away');
        return mayHear() ? box.document : null;
      },
      watchDesired: (onDocument, signal) => {
        const watcher = (document: DesiredDocument): void => {
          if (mayHear()) onDocument(document);
        };
        box.watchers.add(watcher);
        signal.addEventListener('abort', () => box.watchers.delete(watcher), { once: true });
      },
      // Nobody reads output in a simulated world: it decides nothing.
      hearOutputCalls: () => undefined,
      answerWithOutput: () => undefined,
      askDefinitions: async () => {
        await clock.sleep(1);
        if (isOut() || !mayHear()) throw new Error('the bus is away');
        return [LOCAL_IMAGE, JOB_IMAGES[0]];
      },
      hearPruneCalls: (onCall, signal) => {
        const pruner = (call: PruneCall): void => {
          if (mayHear()) onCall(call);
        };
        box.pruners.add(pruner);
        signal.addEventListener('abort', () => box.pruners.delete(pruner), { once: true });
      },
      answerPrune: () => undefined,
    };
  }

  /** A gateway listens from the newest word of every agent on, until it takes it back. */
  listen(listener: Listener): () => void {
    this.#listeners.set(listener, Promise.resolve());
    for (const { last } of this.#mailboxes.values()) if (last !== null) this.#tell(listener, last);
    return () => this.#listeners.delete(listener);
  }

  /**
   * A gateway's writing. `known` is its own memory of what it wrote: as the real writer, it asks nobody about a document
   * that it has already written, unless it is told to `look`.
   */
  async put(document: DesiredDocument, look: boolean, known: Map<string, DesiredDocument>): Promise<void> {
    const { clock, random, faults, onDocument } = this.#options;
    const { agentId } = document;
    onDocument(document);
    await clock.sleep(random.int(1, 10));
    if (!look && isDeepStrictEqual(known.get(agentId), document)) return;
    if (this.#isAway || random.chance(faults['refused document'])) throw new Error('the bus did not take the document');
    const box = this.#box(agentId);
    const standing = box.document;
    if (standing !== null && standing.logId === document.logId && standing.version > document.version) return;
    box.document = document;
    known.set(agentId, document);
    void this.#spread(box, document);
    if (random.chance(faults.duplicate)) void this.#spread(box, document);
  }

  /** News travel beside the writing; they may be lost, or come after newer ones. */
  async #spread(box: Mailbox, document: DesiredDocument): Promise<void> {
    const { clock, random, faults } = this.#options;
    if (random.chance(faults['lost message'])) return;
    await clock.sleep(this.#delay());
    if (box.away || this.#isAway) return;
    for (const watcher of box.watchers) watcher(document);
  }

  async #travel(box: Mailbox, checkIn: CheckIn): Promise<void> {
    const { clock, random, faults } = this.#options;
    const { bootId } = checkIn;
    const overtaken = random.chance(faults.reorder) ? random.int(0, OVERTAKEN_MS) : 0;
    const inOrder = box.lastArrival.get(bootId) ?? 0;
    const at = Math.max(inOrder, clock.now() + random.int(1, CALM_DELAY_MS) + overtaken);
    box.lastArrival.set(bootId, at);
    await clock.sleep(at - clock.now());
    this.#store(box, checkIn);
    if (!random.chance(faults.duplicate)) return;
    await clock.sleep(random.chance(0.5) ? 0 : this.#delay());
    this.#store(box, checkIn);
  }

  #store(box: Mailbox, checkIn: CheckIn): void {
    if (this.#isAway) return;
    const stored = { checkIn, receivedAt: this.#options.clock.now() };
    box.last = stored;
    for (const listener of this.#listeners.keys()) this.#tell(listener, stored);
  }

  /** Behind everything that this one was told before. */
  #tell(listener: Listener, { checkIn, receivedAt }: StoredCheckIn): void {
    const { clock } = this.#options;
    const before = this.#listeners.get(listener);
    const due = clock.now() + this.#delay();
    const told = async () => {
      await before;
      if (due > clock.now()) await clock.sleep(due - clock.now());
      while (this.#isAway && this.#listeners.has(listener)) await clock.sleep(OUTAGE_LOOK_MS);
      if (this.#listeners.has(listener)) listener.hear(checkIn, receivedAt);
    };
    this.#listeners.set(listener, told());
  }

  #delay(): number {
    const { random, faults } = this.#options;
    return random.int(1, Math.max(CALM_DELAY_MS, faults.delay));
  }

  #box(agentId: string): Mailbox {
    let box = this.#mailboxes.get(agentId);
    if (box === undefined) {
      box = {
        document: null,
        watchers: new Set(),
        pruners: new Set(),
        last: null,
        lastArrival: new Map(),
        away: false,
      };
      this.#mailboxes.set(agentId, box);
    }
    return box;
  }
}

const OUTAGE_LOOK_MS = 100;

/** As the gateway's desk names the command that decides a check-in: what the events that it caused carry. */
export function checkInKey({ agentId, bootId, seq }: CheckIn): string {
  return `checkin:${agentId}:${bootId}:${seq}`;
}
