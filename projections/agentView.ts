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

/** What the fleet's log knows of an agent that has joined a zone. */
export interface Standing extends Pick<Enrolment, 'fingerprint' | 'revokedAt'> {
  readonly zone: string;
}

/** An agent that has joined a zone, as it is shown. */
export function agentView(agent: AgentState, standing: Standing, heard: Heard | null): AgentView {
  const { zone, fingerprint, revokedAt } = standing;
  const schedulable = schedulableGpus(agent);
  const free = schedulable.filter((gpu) => !agent.allocated.gpus.has(gpu.uuid)).length;
  const detected = agent.hardware?.gpus ?? [];
  const usable = detected.filter((gpu) => gpu.usable).length;
  return {
    agentId: agent.agentId,
    hostname: agent.hostname,
    zone,
    simulated: agent.simulated,
    fingerprint,
    revokedAt,
    connectivity: agent.connectivity,
    intent: revokedAt !== null ? 'revoked' : agent.enabled ? 'enabled' : 'disabled',
    operation: 'none',
    conditions: conditionsOf(agent),
    sentence: revokedAt === null ? sentenceOf(agent) : revokedSentence(agent),
    physical: physicalOf(agent),
    capacity: capacityOf(agent),
    allocated: allocatedOf(agent),
    coresOverride: agent.coresOverride,
    memoryOverride: agent.memoryOverride,
    labels: Object.fromEntries(agent.labels),
    pruneMode: agent.pruneMode,
    swapBytes: agent.hardware?.swapBytes ?? null,
    memoryRisks: risksOf(agent),
    gpus: detected.map((gpu) => gpuView(agent, gpu)),
    gpuCounts: { detected: detected.length, usable, schedulable: schedulable.length, free },
    sessions: agent.sessions.size,
    settingsVersion: agent.settingsVersion,
    ...measured(heard),
  };
}

/** An agent that is in no zone, since it waits for approval or was revoked: only its own word is known of it. */
export function pendingAgentView(enrolment: Enrolment, heard: Heard | null): AgentView {
  const { agentId, hostname, simulated, fingerprint, revokedAt } = enrolment;
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
    fingerprint,
    revokedAt,
    connectivity: 'never',
    intent: revokedAt === null ? 'pending' : 'revoked',
    operation: 'none',
    conditions: [],
    sentence:
      revokedAt === null
        ? 'Waiting for your approval; it runs nothing before.'
        : 'Revoked: it is not heard any more. It is in no zone, and can be removed.',
    physical,
    capacity: null,
    allocated: { millicores: 0, memoryBytes: 0, gpus: 0 },
    coresOverride: null,
    memoryOverride: null,
    labels: {},
    pruneMode: 'off',
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
  const totalBytes = images.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  // No host has so much; one that says so must not keep all the others from being shown.
  return { count: images.length, totalBytes: Math.min(totalBytes, Number.MAX_SAFE_INTEGER) };
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

/** What it holds can only end by its being declared lost, since nobody hears what became of it. */
function revokedSentence({ sessions, connectivity }: AgentState): string {
  if (sessions.size === 0) return 'Revoked: it is not heard any more. It holds nothing, and can be removed.';
  const held = sessions.size === 1 ? '1 session' : `${sessions.size} sessions`;
  const when = connectivity === 'missing' ? 'Declare it lost to free' : 'Once it is missing, declare it lost to free';
  return `Revoked: it is not heard any more. ${held} on it, unknown. ${when} what it holds.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
