import { coresText, formatBytes, gpusText } from '../units.ts';
import type { GpuDevice } from '../schemas.ts';
import type { AgentState } from './state.ts';

/**
 * Capacity is what placement counts with: the operator's override where there is one, else what is physically there.
 * An override is admission only; it never changes what a running container may consume.
 */
export interface Amounts {
  readonly millicores: number;
  readonly memoryBytes: number;
  readonly gpus: number;
}

export function physicalOf(agent: AgentState): Amounts | null {
  if (agent.hardware === null) return null;
  const { millicores, memoryBytes, gpus } = agent.hardware;
  return { millicores, memoryBytes, gpus: gpus.length };
}

/** Null until the agent has reported its hardware; it takes nothing before. */
export function capacityOf(agent: Pick<AgentState, 'hardware' | 'coresOverride' | 'memoryOverride'>): Amounts | null {
  if (agent.hardware === null) return null;
  return {
    millicores: agent.coresOverride?.value ?? agent.hardware.millicores,
    memoryBytes: agent.memoryOverride?.value ?? agent.hardware.memoryBytes,
    gpus: schedulableGpus(agent).length,
  };
}

export function allocatedOf(agent: AgentState): Amounts {
  const { millicores, memoryBytes, gpus } = agent.allocated;
  return { millicores, memoryBytes, gpus: gpus.size };
}

/** Detected, usable and healthy: only these count as capacity. */
export function schedulableGpus(agent: Pick<AgentState, 'hardware'>): readonly GpuDevice[] {
  return agent.hardware?.gpus.filter((gpu) => gpu.usable && gpu.health !== 'failed') ?? [];
}

/** Why a device is not schedulable, in a sentence; null when it is. */
export function unschedulableReason(gpu: GpuDevice): string | null {
  if (!gpu.usable) return gpu.unusableReason ?? 'the container engine cannot inject it';
  if (gpu.health === 'failed') return gpu.healthReason ?? 'the driver reports it as failed';
  return null;
}

const RATIO_LOW = 0.1;
const RATIO_HIGH = 10;

/** Outside 0.1x to 10x of physical an override needs an explicit confirmation. Unknown hardware confirms nothing. */
export function overrideNeedsConfirm(value: number, physical: number | null): boolean {
  if (physical === null || physical === 0) return false;
  const ratio = value / physical;
  return ratio < RATIO_LOW || ratio > RATIO_HIGH;
}

/** What is allocated past capacity, per dimension, as words: `2 cores`, `1.5 GiB`, `1 GPU`. Empty when nothing is. */
export function overAllocation(agent: AgentState): readonly string[] {
  const capacity = capacityOf(agent);
  return capacity === null ? [] : pastCapacity(allocatedOf(agent), capacity);
}

/** The same of amounts as they would be. */
export function pastCapacity({ millicores, memoryBytes, gpus }: Amounts, capacity: Amounts): readonly string[] {
  const over = [];
  if (millicores > capacity.millicores) over.push(coresText(millicores - capacity.millicores));
  if (memoryBytes > capacity.memoryBytes) over.push(formatBytes(memoryBytes - capacity.memoryBytes));
  if (gpus > capacity.gpus) over.push(gpusText(gpus - capacity.gpus));
  return over;
}
