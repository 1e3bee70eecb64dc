import { accept, type Decision } from '../decision.ts';
import type { ZoneFact } from '../events.ts';
import type { AdvanceTime, ZoneContext } from './commands.ts';
import type { ZoneState } from './state.ts';

/** A commit stays small: what is more than this comes due at the next tick. */
export const MOST_PER_TICK = 128;

/** What time alone brings: agents gone late or missing, and sessions that have waited as long as they were asked to. */
export function decideTime(state: ZoneState, command: AdvanceTime, { now }: ZoneContext): Decision<ZoneFact> {
  const facts: ZoneFact[] = [];
  for (const { agentId, seconds, to } of command.silences) {
    const connectivity = state.agents.get(agentId)?.connectivity;
    if (to === 'late' && connectivity === 'online') {
      facts.push({ type: 'AgentWentLate', data: { agentId, silentSeconds: seconds } });
    }
    if (to === 'missing' && (connectivity === 'online' || connectivity === 'late')) {
      facts.push({ type: 'AgentWentMissing', data: { agentId, silentSeconds: seconds } });
    }
  }
  for (const { sessionId, waitUntil } of state.line) {
    if (waitUntil !== null && waitUntil <= now) {
      facts.push({ type: 'SessionCancelled', data: { sessionId, cause: 'WAIT_TIMEOUT' } });
    }
    if (facts.length >= MOST_PER_TICK) break;
  }
  return accept(facts.slice(0, MOST_PER_TICK), {});
}
