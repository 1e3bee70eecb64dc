import type { At } from '../decision.ts';
import type { FleetFact } from '../events.ts';
import { nextEpoch } from '../logs/seal.ts';
import type { FleetState } from './state.ts';

/** Applies one event of the fleet's log. Never rejects the past. */
export function evolveFleet(state: FleetState, event: FleetFact, at: At): void {
  switch (event.type) {
    case 'ZoneCreated':
      state.zones.add(event.data.zone);
      return;
    case 'AgentEnrolled':
      state.agents.set(event.data.agentId, { ...event.data, zone: null });
      return;
    case 'AgentApproved': {
      const agent = state.agents.get(event.data.agentId);
      if (agent !== undefined) state.agents.set(agent.agentId, { ...agent, zone: event.data.zone });
      return;
    }
    case 'ImageDefined':
    case 'ImageRevised':
      state.images.set(event.data.image.imageId, event.data.image);
      state.revisions.set(event.data.image.imageId, event.data.image.revision);
      return;
    case 'ImageRetired':
      state.images.delete(event.data.imageId);
      return;
    case 'LogSealed':
      state.epoch = nextEpoch(event, at);
      return;
  }
}
