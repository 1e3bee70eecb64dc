import type { CheckIn } from '../checkIn.ts';
import type { ImageNeeds } from '../images/image.ts';
import type { Labels } from '../labels.ts';
import type { PruneMode } from '../pruneMode.ts';

/** What can be asked of a zone. The edges check the shapes; the decider checks the rules. */
export type ZoneCommand =
  | JoinAgent
  | LeaveAgent
  | SetAgentSettings
  | RequestSession
  | { readonly type: 'StopSession'; readonly sessionId: string; readonly cause: 'USER' | 'OPERATOR' }
  | { readonly type: 'DeclareAgentLost'; readonly agentId: string }
  | RecordCheckIn
  | AdvanceTime
  | { readonly type: 'PlaceWaiting' }
  | { readonly type: 'SealLog' };

/** `approval` names that of the fleet's log: it tells this membership from every other of the same id. */
export interface JoinAgent {
  readonly type: 'JoinAgent';
  readonly agentId: string;
  readonly hostname: string;
  readonly simulated: boolean;
  readonly approval: string;
}

/** Ends the membership that began with that approval, and no later one. */
export interface LeaveAgent {
  readonly type: 'LeaveAgent';
  readonly agentId: string;
  readonly approval: string;
}

/**
 * Everything an operator sets on an agent; what is absent stays as it is, `null` removes an override, and `labels` are all of
 * them. `ifVersion` is the settings version the operator saw: when it has moved on, nothing changes. `confirm` allows
 * overrides far from physical.
 */
export interface SetAgentSettings {
  readonly type: 'SetAgentSettings';
  readonly agentId: string;
  readonly enabled?: boolean;
  readonly millicores?: number | null;
  readonly memoryBytes?: number | null;
  readonly labels?: Labels;
  readonly pruneMode?: PruneMode;
  readonly confirm: boolean;
  readonly ifVersion: number | null;
}

/** `image` is resolved at one revision, so that the zone's log is complete in itself. */
export interface RequestSession {
  readonly type: 'RequestSession';
  readonly sessionId: string;
  readonly image: ImageNeeds;
  readonly priority: number;
  readonly whenFull: 'queue' | 'fail';
  readonly maxWaitSeconds: number | null;
  readonly agentId: string | null;
}

export interface RecordCheckIn {
  readonly type: 'RecordCheckIn';
  readonly checkIn: CheckIn;
}

/**
 * Time enters the log only here: who has been silent for how long, and which sessions should have started, as whoever
 * listens to the agents saw it at `now`. What the state does not bear out is ignored.
 */
export interface AdvanceTime {
  readonly type: 'AdvanceTime';
  readonly silences: readonly Silence[];
  /** Agents that fell silent within so many seconds of each other fell silent at once. */
  readonly windowSeconds: number;
  /** Sessions placed longer ago than a start may take, on agents that are heard and do not show them running. */
  readonly overdueStarts: readonly string[];
}

export interface Silence {
  readonly agentId: string;
  readonly seconds: number;
  readonly to: 'late' | 'missing' | 'lost';
}

/** Who asks, when, and at which version of the log the decision is taken (the commit to come is the next). */
export interface ZoneContext {
  readonly now: string;
  readonly logId: string | null;
  readonly version: number;
}
