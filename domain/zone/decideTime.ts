import { declaredLost } from '../agents/decide.ts';
import { suspectedPartition } from '../agents/partition.ts';
import type { AgentState } from '../agents/state.ts';
import { accept, type Decision } from '../decision.ts';
import type { ZoneFact } from '../events.ts';
import type { AdvanceTime, Silence, ZoneContext } from './commands.ts';
import type { ZoneState } from './state.ts';

/** A commit stays small: what is more than this comes due at the next tick. */
export const MOST_PER_TICK = 128;

/**
 * What time alone brings: agents gone late, missing or, where a timer was asked for, lost; sessions that did not start in
 * time, or have waited as long as they were asked to. A time before the log's last event brings nothing.
 */
export function decideTime(state: ZoneState, command: AdvanceTime, { now }: ZoneContext): Decision<ZoneFact> {
  if (now < state.time) return accept([], {});
  const facts = [...silenced(state, command), ...overdue(state, command), ...waitedEnough(state, now)];
  return accept(facts.slice(0, MOST_PER_TICK), {});
}

function silenced(state: ZoneState, { silences, windowSeconds }: AdvanceTime): readonly ZoneFact[] {
  const someLost = silences.some(({ to }) => to === 'lost');
  // When the network is the likelier cause, the sessions behind it still run: nothing is given up by itself.
  const mayLose = someLost && suspectedPartition(state.agents.values(), windowSeconds) === null;
  return silences.flatMap((silence) => {
    const agent = state.agents.get(silence.agentId);
    return agent === undefined ? [] : factOf(agent, silence, mayLose);
  });
}

function factOf(agent: AgentState, { seconds, to }: Silence, mayLose: boolean): readonly ZoneFact[] {
  const { agentId, connectivity } = agent;
  const data = { agentId, silentSeconds: seconds };
  switch (to) {
    case 'late':
      return connectivity === 'online' ? [{ type: 'AgentWentLate', data }] : [];
    case 'missing':
      return connectivity === 'online' || connectivity === 'late' ? [{ type: 'AgentWentMissing', data }] : [];
    case 'lost':
      return connectivity === 'missing' && mayLose ? [declaredLost(agent)] : [];
  }
}

/** Only withdrawn: the container may be about to start, so its claim stays until its agent shows what became of it. */
function overdue({ sessions, unstarted }: ZoneState, { overdueStarts }: AdvanceTime): readonly ZoneFact[] {
  return overdueStarts.flatMap((sessionId): readonly ZoneFact[] => {
    const session = sessions.get(sessionId);
    if (session === undefined || session.phase === 'waiting' || !unstarted.has(sessionId)) return [];
    const { agentId } = session;
    return [{ type: 'SessionStopRequested', data: { sessionId, agentId, cause: 'START_TIMEOUT', exitCode: null } }];
  });
}

function waitedEnough({ line }: ZoneState, now: string): readonly ZoneFact[] {
  return line
    .filter(({ waitUntil }) => waitUntil !== null && waitUntil <= now)
    .map(({ sessionId }): ZoneFact => ({ type: 'SessionCancelled', data: { sessionId, cause: 'WAIT_TIMEOUT' } }));
}
