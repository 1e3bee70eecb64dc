import type { AgentState } from '../agents/state.ts';
import type { ImageNeeds } from '../images/image.ts';
import type { HeldSession } from '../sessions/state.ts';
import type { ReasonCode } from './reasonCodes.ts';

/** What placement is asked for. `pinnedAgentId`: only this agent will do. */
export interface PlacementRequest {
  readonly needs: ImageNeeds;
  readonly pinnedAgentId: string | null;
}

/** A rule's "no". `never`: waiting does not help. */
export interface Finding {
  readonly never: boolean;
  readonly numbers: Readonly<Record<string, number>>;
}

/** What a rule may know when it puts its finding into words: the sessions that hold claims on the agent. */
export interface Wording {
  readonly agent: AgentState;
  readonly request: PlacementRequest;
  readonly finding: Finding;
  readonly held: readonly HeldSession[];
}

/**
 * One placement rule: one code, one file, one table test. `check` is the rule; the words are made only when somebody reads
 * them. `fix` names the smallest change that removes the reason, or null.
 *
 * The index relies on two things: a rule that says no to a request for nothing says no to every request, and of a request
 * it looks only at what `shapeOf` writes.
 */
export interface PlacementRule {
  readonly code: ReasonCode;
  check(agent: AgentState, request: PlacementRequest): Finding | null;
  sentence(wording: Wording): string;
  fix(wording: Wording): string | null;
}

export const NOT_NOW: Finding = { never: false, numbers: {} };
export const NEVER: Finding = { never: true, numbers: {} };
