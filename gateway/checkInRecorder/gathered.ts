import type { CheckInMark } from '../../infra/bus/checkInMark.ts';
import type { MarkedCheckIn } from '../../infra/bus/checkInsBehind.ts';
import { checkInPlace } from '../../infra/names.ts';

export interface Taken {
  readonly agents: ReadonlyMap<string, readonly MarkedCheckIn[]>;
  /** Of the last message, whatever it was; null: there was none. */
  readonly last: CheckInMark | null;
  readonly missed: number;
}

/** What a message needs besides its bytes, roughly. */
const OVERHEAD_BYTES = 1024;

/** Messages from the bus, sorted by agent as they come, unparsed. */
export class Gathered {
  readonly #mostBytes: number;
  #agents = new Map<string, MarkedCheckIn[]>();
  #last: CheckInMark | null = null;
  #missed = 0;
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#mostBytes;
  }

  add(message: MarkedCheckIn): void {
    this.#last = message.mark;
    this.#missed += message.missed;
    const agentId = checkInPlace(message.subject)?.agentId;
    if (agentId === undefined) return;
    const standing = this.#agents.get(agentId);
    if (standing === undefined) this.#agents.set(agentId, [message]);
    else standing.push(message);
    this.#bytes += message.data.length + OVERHEAD_BYTES;
  }

  /** What was gathered, which is then held no more. */
  take(): Taken {
    const taken = { agents: this.#agents, last: this.#last, missed: this.#missed };
    this.#agents = new Map();
    this.#last = null;
    this.#missed = 0;
    this.#bytes = 0;
    return taken;
  }
}
