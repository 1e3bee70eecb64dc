import {
  allocatedOf,
  capacityOf,
  overAllocation,
  physicalOf,
  schedulableGpus,
  unschedulableReason,
} from '../domain/agents/capacity.ts';
import { memoryRisks } from '../domain/agents/memoryRisk.ts';
import type { AgentState } from '../domain/agents/state.ts';
import type { CheckIn } from '../domain/checkIn.ts';
import type { Enrolment } from '../domain/fleet/state.ts';
import type { AgentView, GpuView } from './views.ts';

/** The newest check-in of an agent, and when the bus received it. Telemetry: shown, never decided on. */
export interface Heard {
  readonly checkIn: CheckIn;
  readonly receivedAt: string;
}

/** An agent that has joined a zone, as it is shown. */
export function agentView(agent: AgentState, zone: string, heard: Heard | null): AgentView {
  const schedulable = schedulableGpus(agent);
  const free = schedulable.filter((gpu) => !agent.allocated.gpus.has(gpu.uuid)).length;
  const detected = agent.hardware?.gpus ?? [];
  const usable = detected.filter((gpu) => gpu.usable).length;
  return {
    agentId: agent.agentId,
    hostname: agent.hostname,
    zone,
    simulated: agent.simulated,
    connectivity: agent.connectivity,
    intent: agent.enabled ? 'enabled' : 'disabled',
    operation: 'none',
    conditions: conditionsOf(agent),
    sentence: sentenceOf(agent),
    physical: physicalOf(agent),
    capacity: capacityOf(agent),
    allocated: allocatedOf(agent),
    coresOverride: agent.coresOverride,
    memoryOverride: agent.memoryOverride,
    swapBytes: agent.hardware?.swapBytes ?? null,
    memoryRisks: risksOf(agent),
    gpus: detected.map((gpu) => gpuView(agent, gpu)),
    gpuCounts: { detected: detected.length, usable, schedulable: schedulable.length, free },
    sessions: agent.sessions.size,
    settingsVersion: agent.settingsVersion,
    ...measured(heard),
  };
}

/** An agent that waits for approval: nothing of it is in a zone's log yet, so only its own word is known. */
export function pendingAgentView({ agentId, hostname, simulated }: Enrolment, heard: Heard | null): AgentView {
  const hardware = heard?.checkIn.hardware ?? null;
  const usable = hardware?.gpus.filter((gpu) => gpu.usable).length ?? 0;
  const physical =
    hardware === null
      ? null
      : { millicores: hardware.millicores, memoryBytes: hardware.memoryBytes, gpus: hardware.gpus.length };
  return {
    agentId,
    hostname,
    zone: '',
    simulated,
    connectivity: 'never',
    intent: 'pending',
    operation: 'none',
    conditions: [],
    sentence: 'Waiting for your approval; it runs nothing before.',
    physical,
    capacity: null,
    allocated: { millicores: 0, memoryBytes: 0, gpus: 0 },
    coresOverride: null,
    memoryOverride: null,
    swapBytes: hardware?.swapBytes ?? null,
    memoryRisks: [],
    gpus: [],
    gpuCounts: { detected: physical?.gpus ?? 0, usable, schedulable: 0, free: 0 },
    sessions: 0,
    settingsVersion: 0,
    ...measured(heard),
  };
}

function risksOf({ hardware, allocated, memoryOverride }: AgentState): AgentView['memoryRisks'] {
  if (hardware === null) return [];
  const { memoryBytes: physical, swapBytes: swap } = hardware;
  return memoryRisks({ limits: allocated.memoryBytes, physical, swap, override: memoryOverride?.value ?? null });
}

function measured(heard: Heard | null) {
  const engine = heard?.checkIn.engine;
  return {
    used: heard?.checkIn.usage ?? null,
    lastCheckInAt: heard?.receivedAt ?? null,
    engineVersion: engine?.status === 'up' ? engine.version : null,
    unmanagedContainers: heard?.checkIn.unmanagedContainers ?? 0,
    images: imagesOf(heard?.checkIn.images),
  };
}

function imagesOf(images: CheckIn['images']): AgentView['images'] {
  if (images === undefined) return null;
  return { count: images.length, totalBytes: images.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}

function gpuView(agent: AgentState, gpu: NonNullable<AgentState['hardware']>['gpus'][number]): GpuView {
  const reason = unschedulableReason(gpu);
  const holder = agent.allocated.gpus.get(gpu.uuid);
  return { ...gpu, schedulable: reason === null, reason, heldBy: holder === undefined ? [] : [holder] };
}

/** What the log raised, and what follows from the state alone. */
function conditionsOf(agent: AgentState): AgentView['conditions'] {
  const raised = [...agent.conditions].map(([condition, { detail, mend }]) => ({ condition, detail, mend }));
  const over = overAllocation(agent);
  if (over.length === 0) return raised;
  const detail = `over-allocated by ${over.join(' and ')}; nothing is evicted, nothing new is placed there`;
  const mend = 'raise the override, or let sessions end';
  return [...raised, { condition: 'OVER_ALLOCATED', detail, mend }];
}

/** The axes in one sentence, the worst first. */
function sentenceOf(agent: AgentState): string {
  const sessions = agent.sessions.size === 1 ? '1 session' : `${agent.sessions.size} sessions`;
  const has = agent.sessions.size === 0 ? 'no session on it' : `${sessions} on it`;
  switch (agent.connectivity) {
    case 'never':
      return 'Approved, waiting for its first check-in.';
    case 'lost':
      return 'Declared lost: its sessions are over. When it comes back it removes their containers, then it takes new ones.';
    case 'missing':
      return `Missing: it has stopped checking in. ${capital(has)}, unknown until it returns.`;
    case 'late':
      return `Late: check-ins are overdue, nothing new is placed. ${capital(has)}.`;
    case 'online':
      break;
  }
  if (agent.conditions.has('DOCKER_DOWN')) return `Online, but its container engine is down. ${capital(has)}.`;
  return agent.enabled ? `Online and enabled, ${has}.` : `Online, disabled: it takes nothing new. ${capital(has)}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
