import type { At } from '../decision.ts';
import type { ZoneFact } from '../events.ts';
import { evolveAgent } from '../agents/evolve.ts';
import { evolveSession } from '../sessions/evolve.ts';
import type { ZoneState } from './state.ts';

/** Applies one event of a zone's log. Never rejects the past: what `decide` once let in is taken as it is. */
export function evolveZone(state: ZoneState, event: ZoneFact, at: At): void {
  switch (event.type) {
    case 'SessionRequested':
    case 'SessionWaiting':
    case 'SessionPlaced':
    case 'SessionRefused':
    case 'SessionCancelled':
    case 'SessionStarting':
    case 'SessionStarted':
    case 'SessionStartFailed':
    case 'SessionStopRequested':
    case 'SessionEnded':
      evolveSession(state, event, at);
      return;
    case 'AgentJoined':
    case 'AgentBooted':
    case 'AgentHardwareChanged':
    case 'AgentEnabled':
    case 'AgentDisabled':
    case 'CoresOverrideSet':
    case 'MemoryOverrideSet':
    case 'AgentWentLate':
    case 'AgentWentMissing':
    case 'AgentReturned':
    case 'AgentConditionRaised':
    case 'AgentConditionCleared':
      evolveAgent(state, event, at);
      return;
  }
}
