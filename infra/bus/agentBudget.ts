/** How much an agent may say at once, and in the long run. */
interface Allowance {
  readonly most: number;
  readonly perSecond: number;
}

interface AgentAllowances {
  readonly messages: Allowance;
  readonly bytes: Allowance;
}

/**
 * For check-ins, far more than an agent with much to tell: it checks in every ten seconds and when something changes, a check-in has a megabyte
 * at most, and a simulated one brings those of a day at once.
 */
const ALLOWANCES: AgentAllowances = {
  messages: { most: 10_000, perSecond: 5 },
  bytes: { most: 32 * 1024 ** 2, perSecond: 512 * 1024 },
};
/** Beyond so many agents those are forgotten that have all of their allowance again. */
const MOST_REMEMBERED = 20_000;

interface Left {
  readonly messages: number;
  readonly bytes: number;
  readonly at: number;
}

/**
 * Whether what an agent says is still worth reading: one that floods its gateways would take the time in which they hear the
 * others, and write the log full. Counted by the bus's time, so that whoever reads them again leaves out about the same.
 */
export class AgentBudget {
  readonly #allowances: AgentAllowances;
  readonly #left = new Map<string, Left>();

  constructor(allowances = ALLOWANCES) {
    this.#allowances = allowances;
  }

  /** Of so many agents it knows what they have said. */
  get remembered(): number {
    return this.#left.size;
  }

  /** False: it has said too much. `at`: when the bus received it, ms since 1970. */
  take(agentId: string, bytes: number, at: number): boolean {
    const left = this.#now(agentId, at);
    const isEnough = left.messages >= 1 && left.bytes >= bytes;
    this.#left.set(agentId, isEnough ? { messages: left.messages - 1, bytes: left.bytes - bytes, at } : left);
    if (this.#left.size > MOST_REMEMBERED) this.#forget(at);
    return isEnough;
  }

  #now(agentId: string, at: number): Left {
    const { messages, bytes } = this.#allowances;
    const before = this.#left.get(agentId);
    if (before === undefined) return { messages: messages.most, bytes: bytes.most, at };
    const seconds = Math.max(0, at - before.at) / 1000;
    return {
      messages: Math.min(messages.most, before.messages + seconds * messages.perSecond),
      bytes: Math.min(bytes.most, before.bytes + seconds * bytes.perSecond),
      at: Math.max(at, before.at),
    };
  }

  #forget(at: number): void {
    const { messages, bytes } = this.#allowances;
    for (const agentId of this.#left.keys()) {
      const now = this.#now(agentId, at);
      if (now.messages === messages.most && now.bytes === bytes.most) this.#left.delete(agentId);
    }
  }
}
