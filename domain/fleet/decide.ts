import { accept, reject, type Decision } from '../decision.ts';
import type { FleetFact } from '../events.ts';
import { decideImage, decideRetire } from '../images/decide.ts';
import { decideSeal } from '../logs/seal.ts';
import type { FleetCommand, FleetContext } from './commands.ts';
import { PENDING_LIMIT, type FleetState } from './state.ts';

/** The only place of the fleet's log that may say no. Reads the state, never changes it. */
export function decideFleet(state: FleetState, command: FleetCommand, context: FleetContext): Decision<FleetFact> {
  switch (command.type) {
    case 'CreateZone':
      return accept(state.zones.has(command.zone) ? [] : [{ type: 'ZoneCreated', data: { zone: command.zone } }], {});
    case 'EnrolAgent':
      return decideEnrolment(state, command);
    case 'ApproveAgent':
      return decideApproval(state, command);
    case 'DefineImage':
      return decideImage(state, command, context);
    case 'RetireImage':
      return decideRetire(state, command);
    case 'SealLog':
      return decideSeal(state.epoch, context.version);
  }
}

/** The first check-in of an agent that nobody knows: it arrives pending. */
function decideEnrolment(
  state: FleetState,
  { agentId, hostname, simulated }: Extract<FleetCommand, { type: 'EnrolAgent' }>,
): Decision<FleetFact> {
  if (state.agents.has(agentId)) return accept([], { agentId });
  const pending = [...state.agents.values()].filter((agent) => agent.zone === null).length;
  if (pending >= PENDING_LIMIT) {
    return reject('PENDING_FULL', `${pending} agents wait for approval; approve some first`, { pending });
  }
  return accept([{ type: 'AgentEnrolled', data: { agentId, hostname, simulated } }], { agentId });
}

function decideApproval(
  state: FleetState,
  { agentId, zone }: Extract<FleetCommand, { type: 'ApproveAgent' }>,
): Decision<FleetFact> {
  const agent = state.agents.get(agentId);
  if (agent === undefined) return reject('AGENT_UNKNOWN', `no agent "${agentId}" has checked in`);
  if (!state.zones.has(zone)) return reject('ZONE_UNKNOWN', `there is no zone "${zone}"`);
  if (agent.zone === zone) return accept([], { agentId });
  if (agent.zone !== null) return reject('AGENT_ALREADY_APPROVED', `${agentId} is in zone ${agent.zone} already`);
  return accept([{ type: 'AgentApproved', data: { agentId, zone } }], { agentId });
}
