import { accept, reject, type Decision } from '../decision.ts';
import type { FleetFact } from '../events.ts';
import { decideImage, decideRetire } from '../images/decide.ts';
import { decideIssue, decideRevocation } from '../keys/decide.ts';
import { decideSeal } from '../logs/seal.ts';
import { decideTokenIssue, decideTokenRevocation } from '../managerTokens/decide.ts';
import { decideCreation, decideRemoval, decideRoleChange } from '../people/decide.ts';
import type { ApproveAgent, EnrolAgent, FleetCommand, FleetContext, RemoveAgent } from './commands.ts';
import { decideRejections } from './rejections.ts';
import { isPending, PENDING_LIMIT, type Enrolment, type FleetState } from './state.ts';

/** The only place of the fleet's log that may say no. Reads the state, never changes it. */
export function decideFleet(state: FleetState, command: FleetCommand, context: FleetContext): Decision<FleetFact> {
  switch (command.type) {
    case 'CreateZone':
      return accept(state.zones.has(command.zone) ? [] : [{ type: 'ZoneCreated', data: { zone: command.zone } }], {});
    case 'EnrolAgent':
      return decideEnrolment(state, command);
    case 'ApproveAgent':
      return decideApproval(state, command);
    case 'RevokeAgent':
      return decideAgentRevocation(state, command);
    case 'RemoveAgent':
      return decideAgentRemoval(state, command);
    case 'RecordRejections':
      return decideRejections(state, command, context);
    case 'DefineImage':
      return decideImage(state, command, context);
    case 'RetireImage':
      return decideRetire(state, command);
    case 'CreatePerson':
      return decideCreation(state, command);
    case 'ChangePersonRole':
      return decideRoleChange(state, command);
    case 'RemovePerson':
      return decideRemoval(state, command);
    case 'IssueAccessKey':
      return decideIssue(state, command, context.now);
    case 'RevokeAccessKey':
      return decideRevocation(state, command);
    case 'IssueManagerToken':
      return decideTokenIssue(state, command);
    case 'RevokeManagerToken':
      return decideTokenRevocation(state, command);
    case 'SealLog':
      return decideSeal(state.epoch, context.version);
  }
}

/** The first connection of an agent that nobody knows: it arrives pending. */
function decideEnrolment(
  state: FleetState,
  { agentId, hostname, simulated, fingerprint, expected }: EnrolAgent,
): Decision<FleetFact> {
  const enrolled = { type: 'AgentEnrolled', data: { agentId, hostname, simulated, fingerprint } } as const;
  const known = state.agents.get(agentId);
  if (known !== undefined) return decideReturn(known, enrolled);
  const pending = [...state.agents.values()].filter(isPending).length;
  if (pending >= PENDING_LIMIT && !expected) {
    return reject('PENDING_FULL', `${pending} agents wait for approval; approve some first`, { pending });
  }
  return accept([enrolled], { agentId });
}

/** A known agent is the one that has its secret. One from before agents had secrets is whoever shows the first. */
function decideReturn(known: Enrolment, enrolled: Extract<FleetFact, { type: 'AgentEnrolled' }>): Decision<FleetFact> {
  const { agentId, fingerprint } = enrolled.data;
  if (known.revokedAt !== null) {
    return reject('AGENT_REVOKED', `${agentId} was revoked; remove it, then it can begin anew`);
  }
  if (fingerprint === null || fingerprint === known.fingerprint) return accept([], { agentId });
  if (known.fingerprint === null) return accept([enrolled], { agentId });
  const remedy = 'give this one another MUSTER_AGENT_ID';
  return reject(
    'AGENT_SECRET_WRONG',
    `another host is ${agentId}, with the fingerprint ${known.fingerprint}; ${remedy}`,
  );
}

function decideApproval(state: FleetState, { agentId, zone, fingerprint }: ApproveAgent): Decision<FleetFact> {
  const agent = state.agents.get(agentId);
  if (agent === undefined) return unknown(agentId);
  if (agent.revokedAt !== null) {
    return reject(
      'AGENT_REVOKED',
      `${agentId} was revoked and is never approved again; remove it, then it can begin anew`,
    );
  }
  if (fingerprint !== null && fingerprint !== agent.fingerprint) {
    const has = agent.fingerprint === null ? 'has no fingerprint' : `has the fingerprint ${agent.fingerprint}`;
    return reject('FINGERPRINT_DIFFERS', `${agentId} ${has}, not the one that was given; nothing was approved`);
  }
  if (!state.zones.has(zone)) return reject('ZONE_UNKNOWN', `there is no zone "${zone}"`);
  if (agent.zone === zone) return accept([], { agentId });
  if (agent.zone !== null) return reject('AGENT_ALREADY_APPROVED', `${agentId} is in zone ${agent.zone} already`);
  return accept([{ type: 'AgentApproved', data: { agentId, zone } }], { agentId });
}

/** What it holds stays held: only its zone can tell what became of that. Revoking it again changes nothing. */
function decideAgentRevocation(
  state: FleetState,
  { agentId }: Extract<FleetCommand, { type: 'RevokeAgent' }>,
): Decision<FleetFact> {
  const agent = state.agents.get(agentId);
  if (agent === undefined) return unknown(agentId);
  return accept(agent.revokedAt === null ? [{ type: 'AgentRevoked', data: { agentId } }] : [], { agentId });
}

/**
 * An approved one has to be revoked first, and to have left its zone, which whoever removes it sees to: who has not heard that it
 * was approved has not.
 */
function decideAgentRemoval(state: FleetState, { agentId, left }: RemoveAgent): Decision<FleetFact> {
  const agent = state.agents.get(agentId);
  if (agent === undefined) return unknown(agentId);
  if (agent.revokedAt === null && !isPending(agent)) {
    return reject('AGENT_NOT_REVOKED', `${agentId} is approved; revoke it first`);
  }
  if (agent.approval !== left) {
    return reject('STALE', `${agentId} was approved meanwhile, and its zone has to let it go first; remove it again`);
  }
  return accept([{ type: 'AgentRemoved', data: { agentId } }], { agentId });
}

function unknown(agentId: string): Decision<FleetFact> {
  return reject('AGENT_UNKNOWN', `no agent "${agentId}" has checked in`);
}
