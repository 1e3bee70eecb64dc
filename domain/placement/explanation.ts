import type { ReasonCode } from './reasonCodes.ts';

/**
 * Why an agent cannot take a session, or did not get it. `never`: waiting does not help, edit the image or the agent's
 * hardware or override; otherwise "not now". The numbers are in base units (millicores, bytes, devices).
 */
export interface Reason {
  readonly code: ReasonCode;
  readonly never: boolean;
  readonly numbers: Readonly<Record<string, number>>;
  /** The rule in one sentence, with the numbers as people read them. */
  readonly sentence: string;
  /** The smallest change that would remove this reason, or null when there is none worth naming. */
  readonly fix: string | null;
}

/** What every rule said about one agent. `load` is L after placing, as a fraction of capacity; null when it does not fit. */
export interface Candidate {
  readonly agentId: string;
  readonly outcome: 'chosen' | 'fits' | 'refused';
  readonly load: number | null;
  readonly sessions: number;
  readonly reasons: readonly Reason[];
}

/**
 * The answer to "why did it go there" or "why did it go nowhere": candidates best first, the nearest to fitting first among
 * those that refuse. Complete with one candidate per agent; otherwise with the first few of `agents` of them.
 */
export interface Explanation {
  readonly decision: 'placed' | 'waiting' | 'refused';
  readonly agentId: string | null;
  readonly gpuUuids: readonly string[];
  /** How many agents there were. */
  readonly agents: number;
  readonly complete: boolean;
  /** How many of all the agents gave each reason, when none took it or it was asked for with `fits`; otherwise empty. */
  readonly codes: Readonly<Record<string, number>>;
  readonly candidates: readonly Candidate[];
  /** How many agents fit, when that was asked for; absent otherwise. */
  readonly fits?: number;
  /** The rules version of the decision, when it is another than the one that computed this; absent otherwise. */
  readonly otherRules?: number;
}
