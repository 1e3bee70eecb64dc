import type { At } from '../decision.ts';
import type { FleetFact } from '../events.ts';
import { isExpired, KEYS_LIMIT } from '../keys/state.ts';
import { nextEpoch } from '../logs/seal.ts';
import { approvalAt } from './approval.ts';
import type { FleetState } from './state.ts';

/** Applies one event of the fleet's log. Never rejects the past. */
export function evolveFleet(state: FleetState, event: FleetFact, at: At): void {
  switch (event.type) {
    case 'ZoneCreated':
      state.zones.add(event.data.zone);
      return;
    case 'AgentEnrolled': {
      const { zone = null, approval = null } = state.agents.get(event.data.agentId) ?? {};
      state.agents.set(event.data.agentId, { ...event.data, zone, approval, revokedAt: null });
      return;
    }
    case 'AgentApproved': {
      const agent = state.agents.get(event.data.agentId);
      if (agent !== undefined) {
        state.agents.set(agent.agentId, { ...agent, zone: event.data.zone, approval: approvalAt(at) });
      }
      return;
    }
    case 'AgentRevoked': {
      const agent = state.agents.get(event.data.agentId);
      if (agent !== undefined) state.agents.set(agent.agentId, { ...agent, revokedAt: at.time });
      return;
    }
    case 'AgentRemoved':
      state.agents.delete(event.data.agentId);
      return;
    case 'ConnectionsRejected':
      state.rejectionsAt = at.time;
      return;
    case 'ImageDefined':
    case 'ImageRevised':
      state.images.set(event.data.image.imageId, event.data.image);
      state.revisions.set(event.data.image.imageId, event.data.image.revision);
      return;
    case 'ImageRetired':
      state.images.delete(event.data.imageId);
      return;
    case 'PersonCreated':
      state.peopleEver += 1;
      state.people.set(event.data.personId, { ...event.data, serial: state.peopleEver, createdAt: at.time });
      return;
    case 'PersonRoleChanged': {
      const person = state.people.get(event.data.personId);
      if (person !== undefined) state.people.set(person.personId, { ...person, role: event.data.role });
      return;
    }
    case 'PersonRemoved':
      state.people.delete(event.data.personId);
      return;
    case 'AccessKeyIssued':
      if (state.keys.size >= KEYS_LIMIT) forgetExpired(state, at);
      state.keys.set(event.data.keyId, { ...event.data, issuedAt: at.time });
      return;
    case 'AccessKeyRevoked':
      state.keys.delete(event.data.keyId);
      return;
    case 'ManagerTokenIssued':
      state.managerTokens.set(event.data.tokenId, { ...event.data, issuedAt: at.time });
      return;
    case 'ManagerTokenRevoked':
      state.managerTokens.delete(event.data.tokenId);
      return;
    case 'LogSealed':
      state.epoch = nextEpoch(event, at);
      return;
  }
}

/** Expired keys are listed for as long as there is room: no event ends them, so nothing else takes them away. */
function forgetExpired({ keys }: FleetState, { time }: At): void {
  for (const [keyId, key] of keys) if (isExpired(key, Date.parse(time))) keys.delete(keyId);
}
