import type { status } from '@grpc/grpc-js';
import type { Endpoint } from './errors.ts';

/** What a test makes of the server while it runs; gone with the process. */
export interface Levers {
  /** Where the leader is, when this node is not it; `unknown`: it does not know either. Null: it leads. */
  readonly leader: Endpoint | 'unknown' | null;
  /** Takes calls and answers none, subscribers neither; those that have not left by its end go on then. */
  readonly hangs: boolean;
  /** The answers to so many appends are lost, which are written and synced before. */
  readonly losesAnswers: number;
  /** How they are lost: the connections break, nothing ever comes, or the process dies. */
  readonly losesAnswersBy: 'cut' | 'silence' | 'kill';
  /** Refuses calls with a gRPC status. */
  readonly refusal: Refusal | null;
  /** How much longer a sync takes. */
  readonly syncDelayMs: number;
  /** The next write finds no room for more than its half, upon which the process ends, as EventStoreDB's does. */
  readonly isFull: boolean;
  /** How far its clock is ahead, for limits by age. */
  readonly clockAheadMs: number;
}

/** `methods`: names such as `Append`, all when absent. `times`: how often, always when absent. */
export interface Refusal {
  readonly code: status;
  readonly details: string;
  readonly trailers?: Readonly<Record<string, string>>;
  readonly methods?: readonly string[];
  readonly times?: number;
}

export const AT_REST: Levers = {
  leader: null,
  hangs: false,
  losesAnswers: 0,
  losesAnswersBy: 'cut',
  refusal: null,
  syncDelayMs: 0,
  isFull: false,
  clockAheadMs: 0,
};

/** The levers as they stand in the process, and what was used up of them. */
export class PulledLevers {
  #levers = AT_REST;
  #refusalsLeft = 0;
  #hang: PromiseWithResolvers<void> | undefined;

  get now(): Levers {
    return this.#levers;
  }

  pull(levers: Partial<Levers>): void {
    this.#levers = { ...this.#levers, ...levers };
    if (levers.refusal !== undefined) this.#refusalsLeft = levers.refusal?.times ?? Infinity;
    if (this.#levers.hangs) {
      this.#hang ??= Promise.withResolvers();
    } else {
      this.#hang?.resolve();
      this.#hang = undefined;
    }
  }

  /** Resolves once the server does not hang. */
  async released(): Promise<void> {
    while (this.#hang !== undefined) await this.#hang.promise;
  }

  /** The refusal of a call of this method, if it is to be refused; counts it. */
  takeRefusal(method: string): Refusal | null {
    const { refusal } = this.#levers;
    if (refusal === null || this.#refusalsLeft <= 0) return null;
    if (refusal.methods !== undefined && !refusal.methods.includes(method)) return null;
    this.#refusalsLeft -= 1;
    return refusal;
  }

  /** How the answer to this append is to be lost, if it is; counts it. */
  takeLostAnswer(): Levers['losesAnswersBy'] | null {
    const { losesAnswers, losesAnswersBy } = this.#levers;
    if (losesAnswers <= 0) return null;
    this.#levers = { ...this.#levers, losesAnswers: losesAnswers - 1 };
    return losesAnswersBy;
  }
}
