import type { At } from '../decision.ts';
import type { ZoneFact } from '../events.ts';
import { evolveAgent } from '../agents/evolve.ts';
import { nextEpoch } from '../logs/seal.ts';
import { touchAgent } from '../placement/index/zoneIndex.ts';
import { evolveSession } from '../sessions/evolve.ts';
import type { ZoneState } from './state.ts';

/** What names an agent and changes nothing that placement reads of it: a wish, what became of its images, or how far a session is whose claim stands. */
const LEAVES_AGENT: ReadonlySet<ZoneFact['type']> = new Set([
  'SessionRequested',
  'SessionStarting',
  'SessionStarted',
  'SessionStopRequested',
  'ImageRemoved',
  'ImageRemovalSkipped',
]);

/** Applies one event of a zone's log. Never rejects the past: what `decide` once let in is taken as it is. */
export function evolveZone(state: ZoneState, event: ZoneFact, at: At): void {
  state.time = at.time;
  // Whatever changes an agent names it.
  if ('agentId' in event.data && event.data.agentId !== null && !LEAVES_AGENT.has(event.type)) {
    touchAgent(state, event.data.agentId);
  }
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
    case 'AgentLeft':
    case 'AgentBooted':
    case 'AgentHardwareChanged':
    case 'AgentEnabled':
    case 'AgentDisabled':
    case 'CoresOverrideSet':
    case 'MemoryOverrideSet':
    case 'AgentLabelsSet':
    case 'PruneModeSet':
    case 'ImageRemoved':
    case 'ImageRemovalSkipped':
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
