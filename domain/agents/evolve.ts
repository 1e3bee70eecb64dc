import type { z } from 'zod';
import type { At } from '../decision.ts';
import { sortedLabels } from '../labels.ts';
import { release } from '../sessions/evolve.ts';
import { LEFT_REMEMBERED, type ZoneState } from '../zone/state.ts';
import type { agentEvents } from './events.ts';
import { newAgent, SUPERSEDED_BOOTS_KEPT, type AgentState } from './state.ts';

export type AgentFact = {
  [Type in keyof typeof agentEvents]: { readonly type: Type; readonly data: z.infer<(typeof agentEvents)[Type]> };
}[keyof typeof agentEvents];

type Left = z.infer<(typeof agentEvents)['AgentLeft']>;

/** What an agent's event means for the zone. `chances` counts what may let a waiting session fit. */
export function evolveAgent(zone: ZoneState, event: AgentFact, at: At): void {
  if (event.type === 'AgentJoined') {
    zone.agents.set(event.data.agentId, newAgent(event.data, at.version));
    return;
  }
  if (event.type === 'AgentLeft') {
    leave(zone, event.data);
    return;
  }
  const agent = zone.agents.get(event.data.agentId);
  if (agent === undefined) return;
  // Whatever it held is over. `release` counts each as a chance for those that wait.
  if (event.type === 'AgentDeclaredLost') for (const sessionId of agent.sessions) release(zone, sessionId);
  if (applyToAgent(agent, event, at)) zone.chances += 1;
}

function leave({ agents, left }: ZoneState, { agentId, approval }: Left): void {
  agents.delete(agentId);
  if (approval === null) return;
  left.delete(agentId);
  left.set(agentId, approval);
  const [oldest] = left.keys();
  if (oldest !== undefined && left.size > LEFT_REMEMBERED) left.delete(oldest);
}

/** Changes one agent; true when a waiting session may fit now. */
function applyToAgent(
  agent: AgentState,
  event: Exclude<AgentFact, { type: 'AgentJoined' | 'AgentLeft' }>,
  at: At,
): boolean {
  switch (event.type) {
    case 'AgentBooted':
      supersede(agent, event.data.bootId);
      agent.bootObservedAt = event.data.observedAt;
      return false;
    case 'AgentHardwareChanged':
      agent.hardware = event.data.hardware;
      return true;
    case 'AgentEnabled':
    case 'AgentDisabled':
      agent.enabled = event.type === 'AgentEnabled';
      agent.settingsVersion = at.version;
      return agent.enabled;
    case 'CoresOverrideSet':
      agent.coresOverride = override(event.data.millicores, event.data.physicalMillicores);
      agent.settingsVersion = at.version;
      return true;
    case 'MemoryOverrideSet':
      agent.memoryOverride = override(event.data.memoryBytes, event.data.physicalMemoryBytes);
      agent.settingsVersion = at.version;
      return true;
    case 'AgentLabelsSet':
      agent.labels.clear();
      for (const [key, value] of sortedLabels(event.data.labels)) agent.labels.set(key, value);
      agent.settingsVersion = at.version;
      return true;
    case 'PruneModeSet':
      agent.pruneMode = event.data.mode;
      agent.settingsVersion = at.version;
      // Its document says so.
      agent.desiredVersion = at.version;
      return false;
    case 'ImageRemoved':
    case 'ImageRemovalSkipped':
      agent.pruneMark = { series: event.data.series, number: event.data.number };
      // Its document tells it, so that it tells no more of it.
      agent.desiredVersion = at.version;
      return false;
    case 'AgentWentLate':
      agent.connectivity = 'late';
      agent.silentSince ??= before(at.time, event.data.silentSeconds);
      return false;
    case 'AgentWentMissing':
      agent.connectivity = 'missing';
      agent.silentSince ??= before(at.time, event.data.silentSeconds);
      return false;
    case 'AgentReturned':
      agent.connectivity = 'online';
      agent.silentSince = null;
      return true;
    case 'AgentDeclaredLost':
      agent.connectivity = 'lost';
      // Its document lost its sessions: when it comes back it has to carry that out before it is a candidate.
      agent.desiredVersion = at.version;
      return false;
    case 'AgentConditionRaised':
      agent.conditions.set(event.data.condition, { detail: event.data.detail, mend: event.data.mend });
      return false;
    case 'AgentConditionCleared':
      agent.conditions.delete(event.data.condition);
      // Its document was withheld. A version past everything that the agent may have heard before makes it listen again.
      if (event.data.condition === 'LOG_REWOUND') agent.desiredVersion = at.version;
      return true;
  }
}

function supersede(agent: AgentState, bootId: string): void {
  if (agent.bootId !== null) agent.supersededBoots.add(agent.bootId);
  for (const oldest of agent.supersededBoots) {
    if (agent.supersededBoots.size <= SUPERSEDED_BOOTS_KEPT) break;
    agent.supersededBoots.delete(oldest);
  }
  agent.bootId = bootId;
}

function before(time: string, seconds: number): string {
  return new Date(Date.parse(time) - seconds * 1000).toISOString();
}

function override(value: number | null, setWhenPhysical: number | null) {
  return value === null ? null : { value, setWhenPhysical };
}
