import { accept, reject, type Decision } from '../decision.ts';
import { isDeepEqual } from '../deepEqual.ts';
import type { ZoneFact } from '../events.ts';
import { formatBytes, formatCores } from '../units.ts';
import type { JoinAgent, LeaveAgent, SetAgentSettings, ZoneCommand } from '../zone/commands.ts';
import type { ZoneState } from '../zone/state.ts';
import { overrideNeedsConfirm } from './capacity.ts';
import type { AgentState } from './state.ts';

/**
 * Follow-up of an approval in the fleet's log; joining twice changes nothing. An approval that is over brings nobody back: a gateway
 * may be behind in the fleet's log, or its command have been under way since before the agent was removed.
 */
export function decideJoin(
  state: ZoneState,
  { agentId, hostname, simulated, approval }: JoinAgent,
): Decision<ZoneFact> {
  if (state.agents.has(agentId)) return accept([], { agentId });
  if (isOver(state, agentId, approval)) {
    return reject('STALE', `${agentId} has left this zone, and was not approved again since`);
  }
  return accept([{ type: 'AgentJoined', data: { agentId, hostname, simulated } }], { agentId });
}

/**
 * Follow-up of a revocation in the fleet's log. What it holds has to be over first; leaving twice changes nothing. It is recorded also
 * of one that has not joined: its join may be under way.
 */
export function decideLeave(state: ZoneState, { agentId, approval }: LeaveAgent): Decision<ZoneFact> {
  if (isOver(state, agentId, approval)) return accept([], { agentId });
  const sessions = state.agents.get(agentId)?.sessions.size ?? 0;
  if (sessions === 0) return accept([{ type: 'AgentLeft', data: { agentId, approval } }], { agentId });
  const held = sessions === 1 ? '1 session' : `${sessions} sessions`;
  return reject(
    'AGENT_HAS_SESSIONS',
    `${agentId} holds the claims of ${held}; stop them while it is heard, or declare it lost once it is missing`,
    { sessions },
  );
}

function isOver({ left }: ZoneState, agentId: string, approval: string): boolean {
  const over = left.get(agentId);
  return over !== undefined && approval <= over;
}

/**
 * Gives an agent up: its sessions end and what they held is free. Only a missing one, since on any other they may well
 * run, and the log would place their devices twice. Declaring it again changes nothing.
 */
export function decideLost(
  state: ZoneState,
  { agentId }: Extract<ZoneCommand, { type: 'DeclareAgentLost' }>,
): Decision<ZoneFact> {
  const agent = state.agents.get(agentId);
  if (agent === undefined) return reject('AGENT_UNKNOWN', `no agent "${agentId}" has joined this zone`);
  const sessions = agent.sessions.size;
  if (agent.connectivity === 'lost') return accept([], { agentId, sessions });
  if (agent.connectivity === 'missing') return accept([declaredLost(agent)], { agentId, sessions });
  return reject('AGENT_NOT_MISSING', `${agentId} ${NOT_MISSING[agent.connectivity]}`, { sessions });
}

const NOT_MISSING = {
  never: 'has not been heard of since it was approved and holds nothing; there is nothing to give up',
  online: 'checks in; disable it and stop its sessions instead',
  late: 'is only late; wait until it is missing, or bring it back',
} as const;

export function declaredLost({ agentId, sessions }: AgentState): ZoneFact {
  return { type: 'AgentDeclaredLost', data: { agentId, sessions: sessions.size } };
}

/** All of an operator's changes to one agent, or none of them. */
export function decideAgentSettings(state: ZoneState, command: SetAgentSettings): Decision<ZoneFact> {
  const agent = state.agents.get(command.agentId);
  if (agent === undefined) return reject('AGENT_UNKNOWN', `no agent "${command.agentId}" has joined this zone`);
  if (command.ifVersion !== null && command.ifVersion !== agent.settingsVersion) {
    return reject('STALE', `the settings of ${agent.agentId} have changed since they were read; read them again`);
  }
  const farOff = command.confirm ? null : unconfirmed(agent, command);
  if (farOff !== null) return reject('CONFIRM_NEEDED', farOff.sentence, farOff.numbers);
  const facts = [enabling, cores, memory, labels, pruneMode].flatMap((setting) => setting(agent, command));
  return accept(facts, { agentId: agent.agentId });
}

function enabling(agent: AgentState, { enabled }: SetAgentSettings): ZoneFact[] {
  if (enabled === undefined || enabled === agent.enabled) return [];
  return [{ type: enabled ? 'AgentEnabled' : 'AgentDisabled', data: { agentId: agent.agentId } }];
}

function cores(agent: AgentState, command: SetAgentSettings): ZoneFact[] {
  const millicores = noneForZero(command.millicores);
  const previous = agent.coresOverride?.value ?? null;
  if (millicores === undefined || millicores === previous) return [];
  const physicalMillicores = agent.hardware?.millicores ?? null;
  return [{ type: 'CoresOverrideSet', data: { agentId: agent.agentId, millicores, previous, physicalMillicores } }];
}

function memory(agent: AgentState, command: SetAgentSettings): ZoneFact[] {
  const memoryBytes = noneForZero(command.memoryBytes);
  const previous = agent.memoryOverride?.value ?? null;
  if (memoryBytes === undefined || memoryBytes === previous) return [];
  const physicalMemoryBytes = agent.hardware?.memoryBytes ?? null;
  return [{ type: 'MemoryOverrideSet', data: { agentId: agent.agentId, memoryBytes, previous, physicalMemoryBytes } }];
}

function labels({ agentId, labels: now }: AgentState, command: SetAgentSettings): ZoneFact[] {
  const previous = Object.fromEntries(now);
  if (command.labels === undefined || isDeepEqual(command.labels, previous)) return [];
  return [{ type: 'AgentLabelsSet', data: { agentId, labels: command.labels, previous } }];
}

function pruneMode({ agentId, pruneMode: previous }: AgentState, { pruneMode: mode }: SetAgentSettings): ZoneFact[] {
  if (mode === undefined || mode === previous) return [];
  return [{ type: 'PruneModeSet', data: { agentId, mode, previous } }];
}

/** No event ever holds 0 for "none". */
function noneForZero(value: number | null | undefined): number | null | undefined {
  return value === 0 ? null : value;
}

function unconfirmed(agent: AgentState, { millicores, memoryBytes }: SetAgentSettings) {
  const physical = agent.hardware;
  if (physical === null) return null;
  if (millicores && overrideNeedsConfirm(millicores, physical.millicores)) {
    return farOff('cores', formatCores(millicores), formatCores(physical.millicores), millicores, physical.millicores);
  }
  if (memoryBytes && overrideNeedsConfirm(memoryBytes, physical.memoryBytes)) {
    return farOff(
      'memory',
      formatBytes(memoryBytes),
      formatBytes(physical.memoryBytes),
      memoryBytes,
      physical.memoryBytes,
    );
  }
  return null;
}

function farOff(dimension: string, text: string, physicalText: string, override: number, physical: number) {
  const ratio = (override / physical).toFixed(2);
  const sentence = `a ${dimension} override of ${text} is x${ratio} of the ${physicalText} that are there; confirm it if that is meant`;
  return { sentence, numbers: { override, physical } };
}
