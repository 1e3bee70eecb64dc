import type { At } from '../decision.ts';
import type { ZoneFact } from '../events.ts';
import { evolveAgent } from '../agents/evolve.ts';
import { nextEpoch } from '../logs/seal.ts';
import { touchAgent } from '../placement/index/zoneIndex.ts';
import { evolveSession } from '../sessions/evolve.ts';
import type { ZoneState } from './state.ts';

/** Applies one event of a zone's log. Never rejects the past: what `decide` once let in is taken as it is. */
export function evolveZone(state: ZoneState, event: ZoneFact, at: At): void {
  state.time = at.time;
  // Whatever changes an agent names it; a request names only the agent it wishes for.
  if ('agentId' in event.data && event.type !== 'SessionRequested') touchAgent(state, event.data.agentId);
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
    case 'AgentDeclaredLost':
    case 'AgentConditionRaised':
    case 'AgentConditionCleared':
      evolveAgent(state, event, at);
      return;
    case 'LogSealed':
      state.epoch = nextEpoch(event, at);
      return;
  }
}
