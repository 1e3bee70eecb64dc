import type { CheckIn } from '../checkIn.ts';
import { accept, type Decision } from '../decision.ts';
import { isDeepEqual } from '../deepEqual.ts';
import type { ZoneFact } from '../events.ts';
import { decideEvidence } from '../sessions/decideEvidence.ts';
import type { ZoneContext } from '../zone/commands.ts';
import type { ZoneState } from '../zone/state.ts';
import type { AgentState } from './state.ts';

/**
 * Turns what changed between check-ins into events; a check-in that changes nothing gives none. The controller drops
 * what arrives out of order within a boot. A superseded boot never comes back: its process is a clone, and only that is
 * recorded.
 */
export function decideCheckIn(state: ZoneState, checkIn: CheckIn, context: ZoneContext): Decision<ZoneFact> {
  const agent = state.agents.get(checkIn.agentId);
  if (agent === undefined) return accept([], {});
  if (agent.supersededBoots.has(checkIn.bootId)) return accept(raise(agent, 'IDENTITY_CONFLICT', CLONE), {});
  const caughtUp = isCaughtUp(state, agent, checkIn, context);
  const facts = [...boot(agent, checkIn), ...hardwareChange(agent, checkIn), ...conditions(agent, checkIn, caughtUp)];
  if (isRewound(checkIn, context)) return accept([...facts, ...raise(agent, 'LOG_REWOUND', REWOUND)], {});
  facts.push(...clear(agent, 'LOG_REWOUND'));
  // Evidence counts only from an agent that speaks about this very log.
  if (speaksOfThisLog(checkIn, context)) facts.push(...decideEvidence(state, agent, checkIn));
  // With its engine down an agent cannot catch up, but it is there; it takes nothing until the engine is back.
  if (caughtUp || checkIn.engine.status === 'down') facts.push(...comeback(agent));
  // A commit holds 256 events. What one check-in proves beyond this, the next one proves again.
  return accept(facts.slice(0, MOST_PER_CHECKIN), {});
}

const MOST_PER_CHECKIN = 200;

const CLONE = {
  detail: 'a second process checks in with the identity of this agent',
  mend: 'stop one of them, or give it an id of its own (MUSTER_AGENT_ID)',
};

const REWOUND = {
  detail: 'the agent has applied a version that this log does not have: the log was restored from an older backup',
  mend: 'compare its containers with its sessions before you go on; nothing is removed by itself meanwhile',
};

function boot(agent: AgentState, { bootId, agentVersion }: CheckIn): ZoneFact[] {
  if (agent.bootId === bootId) return [];
  const { agentId, bootId: previousBootId } = agent;
  return [
    { type: 'AgentBooted', data: { agentId, bootId, previousBootId, agentVersion } },
    ...clear(agent, 'IDENTITY_CONFLICT'),
  ];
}

function hardwareChange(agent: AgentState, { hardware }: CheckIn): ZoneFact[] {
  if (agent.hardware !== null && isDeepEqual(agent.hardware, hardware)) return [];
  return [{ type: 'AgentHardwareChanged', data: { agentId: agent.agentId, hardware, previous: agent.hardware } }];
}

function conditions(agent: AgentState, { engine, hardware }: CheckIn, caughtUp: boolean): ZoneFact[] {
  const failed = hardware.gpus.filter((gpu) => gpu.health === 'failed');
  const facts: ZoneFact[] = [];
  if (engine.status === 'down')
    facts.push(...raise(agent, 'DOCKER_DOWN', { detail: engine.detail, mend: engine.mend }));
  // What came due while the engine was down has to be done before the agent is a candidate again.
  else if (caughtUp) facts.push(...clear(agent, 'DOCKER_DOWN'));
  if (failed.length === 0) return [...facts, ...clear(agent, 'GPU_FAILED')];
  const detail = `the driver reports ${failed.length === 1 ? 'a failed GPU' : `${failed.length} failed GPUs`}`;
  const mend = 'look at the kernel log for Xid messages; reset or replace the device';
  return [...facts, ...raise(agent, 'GPU_FAILED', { detail, mend })];
}

type Raised = Extract<ZoneFact, { type: 'AgentConditionRaised' }>['data'];

function raise(agent: AgentState, condition: Raised['condition'], words: Pick<Raised, 'detail' | 'mend'>): ZoneFact[] {
  if (agent.conditions.has(condition)) return [];
  return [{ type: 'AgentConditionRaised', data: { agentId: agent.agentId, condition, ...words } }];
}

function clear(agent: AgentState, condition: Raised['condition']): ZoneFact[] {
  if (!agent.conditions.has(condition)) return [];
  return [{ type: 'AgentConditionCleared', data: { agentId: agent.agentId, condition } }];
}

function isRewound(checkIn: CheckIn, { logId, version }: ZoneContext): boolean {
  return checkIn.logId === logId && checkIn.appliedVersion > version;
}

/**
 * After its first approval or a silence an agent becomes a candidate only when it has carried out its newest document and
 * shows no container of a session that has ended.
 */
function isCaughtUp(state: ZoneState, agent: AgentState, checkIn: CheckIn, context: ZoneContext): boolean {
  if (!speaksOfThisLog(checkIn, context) || checkIn.engine.status === 'down') return false;
  if (checkIn.appliedVersion < agent.desiredVersion) return false;
  return checkIn.sessions.every(({ sessionId }) => state.sessions.has(sessionId));
}

function speaksOfThisLog(checkIn: CheckIn, { logId }: ZoneContext): boolean {
  return logId !== null && checkIn.logId === logId;
}

function comeback(agent: AgentState): ZoneFact[] {
  if (agent.connectivity === 'online') return [];
  return [{ type: 'AgentReturned', data: { agentId: agent.agentId, from: agent.connectivity } }];
}
