import type { AgentState } from '../agents/state.ts';
import { firstEpoch, type LogEpoch } from '../logs/seal.ts';
import type { SessionState, WaitingSession } from '../sessions/state.ts';

/**
 * A zone is one deterministic state machine. For 10,000 agents a copy per event would cost more than the event, so
 * `evolve` changes the state in place: a state has exactly one owner, the fold that created it with `initialZone()`, and
 * nobody else writes. Folding the same commits always gives an equal state.
 */
export interface ZoneState {
  readonly agents: Map<string, AgentState>;
  /** Of agents that have left, the name of the approval that is over with that, the newest last. */
  readonly left: Map<string, string>;
  /** Waiting or holding a claim. Its size is bounded by the fleet and the line, not by history. */
  readonly sessions: Map<string, SessionState>;
  /** The waiting line: priority descending, then log order. */
  readonly line: WaitingSession[];
  nextOrder: number;
  /** Placed sessions not seen running yet, each with the ISO time of its placement, the oldest first. */
  readonly unstarted: Map<string, string>;
  /** ISO time of the last event; empty before the first. Time never goes below it. */
  time: string;
  /** Counts the events after which a waiting session may fit (a claim released, an agent enabled …). */
  chances: number;
  epoch: LogEpoch;
}

export function initialZone(): ZoneState {
  return {
    agents: new Map(),
    left: new Map(),
    sessions: new Map(),
    line: [],
    nextOrder: 1,
    unstarted: new Map(),
    time: '',
    chances: 0,
    epoch: firstEpoch(),
  };
}

/** So many agents that have left are remembered: what was under way when they left arrives within minutes. */
export const LEFT_REMEMBERED = 1000;

/** A zone's line holds at most this many; a further request is refused with LINE_FULL. */
export const LINE_LIMIT = 10_000;
