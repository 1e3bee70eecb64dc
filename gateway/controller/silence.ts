import { suspectedPartition } from '../../domain/agents/partition.ts';
import type { AgentState } from '../../domain/agents/state.ts';
import type { AdvanceTime, Silence } from '../../domain/zone/commands.ts';
import { MOST_PER_TICK } from '../../domain/zone/decideTime.ts';
import type { ZoneState } from '../../domain/zone/state.ts';
import { isoTime } from '../../infra/clock.ts';

/** Late after three intervals without a check-in, missing after six. */
export const LATE_INTERVALS = 3;
export const MISSING_INTERVALS = 6;

/** Agents that fell silent within so many seconds of each other fell silent at once: what it takes to be late. */
export function windowSecondsOf(checkInSeconds: number): number {
  return LATE_INTERVALS * checkInSeconds;
}

/** How long things may take. Each is counted only while this gateway listens. */
export interface Patience {
  readonly checkInSeconds: number;
  /** From its placement until a session must be seen running. */
  readonly startTimeoutSeconds: number;
  /** Silence after which a missing agent is declared lost by itself; null: never. */
  readonly lostAfterSeconds: number | null;
}

/** What somebody who listens knows of the agents. Times in milliseconds, all on one clock. */
export interface Hearing {
  readonly now: number;
  readonly listeningSince: number;
  /** When each agent was last heard. */
  readonly heardAt: (agentId: string) => number | null;
}

/** What has come due: the ordinary passing of time, and agents to be given up, which is said with its reason. */
export interface Due {
  readonly ordinary: AdvanceTime | null;
  readonly losses: AdvanceTime | null;
}

export function dueNow(state: ZoneState, hearing: Hearing, patience: Patience): Due {
  const nothing = { type: 'AdvanceTime', silences: [], overdueStarts: [] } as const;
  const windowSeconds = windowSecondsOf(patience.checkInSeconds);
  const silences = silencesNow(state, hearing, patience);
  const overdueStarts = overdueStartsNow(state, hearing, patience);
  const now = isoTime(hearing.now);
  const waitedEnough = state.line.some(({ waitUntil }) => waitUntil !== null && waitUntil <= now);
  const some = silences.length > 0 || overdueStarts.length > 0 || waitedEnough;
  const lost = lostNow(state, hearing, patience, windowSeconds);
  return {
    ordinary: some ? { ...nothing, windowSeconds, silences, overdueStarts } : null,
    losses: lost.length > 0 ? { ...nothing, windowSeconds, silences: lost } : null,
  };
}

function silencesNow(state: ZoneState, hearing: Hearing, { checkInSeconds }: Patience): readonly Silence[] {
  const silences: Silence[] = [];
  for (const agent of state.agents.values()) {
    if (silences.length >= MOST_PER_TICK) break;
    const { agentId, connectivity } = agent;
    if (connectivity !== 'online' && connectivity !== 'late') continue;
    const seconds = silentSeconds(agent, hearing);
    if (seconds >= MISSING_INTERVALS * checkInSeconds) silences.push({ agentId, seconds, to: 'missing' });
    else if (seconds >= LATE_INTERVALS * checkInSeconds && connectivity === 'online') {
      silences.push({ agentId, seconds, to: 'late' });
    }
  }
  return silences;
}

/** Nobody is given up while the network is the likelier cause; the decider asks the same once more. */
function lostNow(
  state: ZoneState,
  hearing: Hearing,
  { lostAfterSeconds }: Patience,
  windowSeconds: number,
): readonly Silence[] {
  if (lostAfterSeconds === null) return [];
  const lost: Silence[] = [];
  for (const agent of state.agents.values()) {
    if (agent.connectivity !== 'missing') continue;
    const seconds = silentSeconds(agent, hearing);
    if (seconds >= lostAfterSeconds) lost.push({ agentId: agent.agentId, seconds, to: 'lost' });
  }
  if (lost.length === 0 || suspectedPartition(state.agents.values(), windowSeconds) !== null) return [];
  return lost.slice(0, MOST_PER_TICK);
}

/**
 * Only of agents that are heard, since only their word shows that a session has not started; a silent one may well be
 * running it.
 */
function overdueStartsNow(
  { agents, sessions, unstarted }: ZoneState,
  { now, listeningSince, heardAt }: Hearing,
  { startTimeoutSeconds }: Patience,
): readonly string[] {
  const limit = now - startTimeoutSeconds * 1000;
  if (listeningSince > limit) return [];
  const overdue: string[] = [];
  for (const [sessionId, placedAt] of unstarted) {
    // The oldest come first.
    if (Date.parse(placedAt) > limit || overdue.length >= MOST_PER_TICK) break;
    const session = sessions.get(sessionId);
    const agent = session === undefined || session.phase === 'waiting' ? undefined : agents.get(session.agentId);
    const heard = agent?.connectivity === 'online' ? heardAt(agent.agentId) : null;
    if (heard !== null && heard >= listeningSince) overdue.push(sessionId);
  }
  return overdue;
}

function silentSeconds({ agentId }: AgentState, { now, listeningSince, heardAt }: Hearing): number {
  return Math.floor((now - Math.max(heardAt(agentId) ?? 0, listeningSince)) / 1000);
}
