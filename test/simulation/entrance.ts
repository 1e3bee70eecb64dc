import { agentClientName } from '../../infra/agentIdentity.ts';
import type { ServedConnection } from '../../infra/bus/connections.ts';
import { BusError, BusErrorCode } from '../../infra/bus/errors.ts';
import type { Clock } from '../../infra/clock.ts';
import type { Refusal, Shown } from '../../gateway/callout/admission.ts';
import { connectionName, type Entry } from '../../gateway/callout/entry.ts';
import type { Random } from './random.ts';

/** What somebody who wants to enter shows, and from where. */
export interface Knock {
  readonly agentId: string;
  readonly password: string;
  /** The machine it comes from. */
  readonly from: string;
}

/** Somebody who is in, as what it was let in as. */
export interface Connection extends ServedConnection {
  readonly knock: Knock;
  readonly standing: 'pending' | 'approved';
  /** Resolves when it is in no more, whoever ended it. */
  readonly closed: Promise<void>;
}

/** A gateway that can be asked who may enter. Null: it was gone before it answered. */
export interface Porter {
  admit(shown: Shown): Promise<Entry | Refusal | null>;
}

export interface EntranceOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Gateways that answer just now. */
  readonly porters: () => readonly Porter[];
  /** Whether somebody on that machine can reach the bus. */
  readonly reaches: (machine: string) => boolean;
}

/** As nats.conf has it: who was not answered by then is refused. */
const ANSWER_WITHIN_MS = 5000;
const LONGEST_WAY_MS = 20;

/**
 * The door of the bus, as nats-server keeps it: it asks one of the gateways, whoever is in stays in, and whoever a doorkeeper
 * names is thrown out.
 */
export class Entrance {
  readonly #options: EntranceOptions;
  readonly #inside = new Map<number, { readonly connection: Connection; readonly end: () => void }>();
  #last = 0;

  constructor(options: EntranceOptions) {
    this.#options = options;
  }

  get inside(): readonly Connection[] {
    return [...this.#inside.values()].map(({ connection }) => connection);
  }

  /** Null: it was refused, or nobody answered in time. */
  async enter(knock: Knock): Promise<Connection | null> {
    const { clock, random, porters, reaches } = this.#options;
    await this.#way();
    const porter = reaches(knock.from) ? random.any(porters()) : null;
    if (porter === null) {
      await clock.sleep(ANSWER_WITHIN_MS);
      return null;
    }
    const { agentId: user, password, from: host } = knock;
    const name = agentClientName({ hostname: host, simulated: false });
    const answered = new AbortController();
    const late = clock.sleep(ANSWER_WITHIN_MS, answered.signal).then(() => null);
    const entry = await Promise.race([porter.admit({ user, password, name, host }), late]);
    answered.abort();
    await this.#way();
    if (entry === null || typeof entry === 'string' || entry.kind !== 'agent' || !reaches(knock.from)) return null;
    return this.#letIn(knock, entry);
  }

  /** All who are in, as the servers tell a gateway. */
  async list(): Promise<readonly ServedConnection[]> {
    await this.#call();
    const listed = this.inside;
    await this.#call();
    return listed;
  }

  /** A gateway has somebody thrown out. */
  async close({ cid }: ServedConnection): Promise<void> {
    await this.#call();
    this.#end(cid);
  }

  /** Somebody goes by himself. */
  leave({ cid }: Connection): void {
    this.#end(cid);
  }

  /** What was in is in no more: from a machine that was cut off, or everybody when the bus itself goes away. */
  drop(isGone: (knock: Knock) => boolean): void {
    for (const { connection } of this.#inside.values()) if (isGone(connection.knock)) this.#end(connection.cid);
  }

  #letIn(knock: Knock, entry: Extract<Entry, { kind: 'agent' }>): Connection {
    const { promise: closed, resolve: end } = Promise.withResolvers<void>();
    this.#last += 1;
    const name = connectionName(entry);
    const connection = { serverId: 'bus', cid: this.#last, name, knock, standing: entry.standing, closed };
    this.#inside.set(connection.cid, { connection, end });
    return connection;
  }

  #end(cid: number): void {
    const known = this.#inside.get(cid);
    this.#inside.delete(cid);
    known?.end();
  }

  async #way(): Promise<void> {
    const { clock, random } = this.#options;
    await clock.sleep(random.int(1, LONGEST_WAY_MS));
  }

  async #call(): Promise<void> {
    await this.#way();
    if (!this.#options.reaches('')) throw new BusError(BusErrorCode.Disconnected, 'the bus is away');
  }
}
