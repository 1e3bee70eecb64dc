import { capacityOf, schedulableGpus } from '../../agents/capacity.ts';
import type { AgentState } from '../../agents/state.ts';
import { fits } from '../place.ts';
import type { PlacementRequest } from '../rule.ts';
import { SET_COLUMN } from './boundsTree.ts';
import type { DeviceKinds } from './deviceKinds.ts';
import { labelBits } from './labelBits.ts';

/**
 * What the index knows of an agent, as numbers. In a node of the tree each is the largest of the agents below it; those
 * named least or fewest are kept negative, so that there it is the smallest. Labels are bits, and in a node those of all.
 */
export const Column = {
  labels: SET_COLUMN,
  freeMillicores: 1,
  freeMemory: 2,
  millicores: 3,
  memory: 4,
  gpus: 5,
  leastMillicores: 6,
  leastMemory: 7,
  leastGpus: 8,
  leastMillicoresShare: 9,
  leastMemoryShare: 10,
  leastGpuShare: 11,
  leastLoad: 12,
  leastClaimedShare: 13,
  fewestSessions: 14,
  fewestDevices: 15,
} as const;

/** After these, two columns per kind of device: how many are free, and how many there are. */
const FIRST_KIND = 16;

export function strideFor(kinds: DeviceKinds): number {
  return FIRST_KIND + 2 * kinds.count;
}

export function freeOfKind(kind: number): number {
  return FIRST_KIND + 2 * kind;
}

export function totalOfKind(kind: number): number {
  return FIRST_KIND + 2 * kind + 1;
}

/**
 * An agent's row, or null when it takes nothing whatever is asked: no rule says no to less and yes to more, so an agent
 * that refuses even the request for nothing is no candidate for any other.
 */
export function agentRow(agent: AgentState, kinds: DeviceKinds): Float64Array | null {
  const capacity = capacityOf(agent);
  if (capacity === null || !fits(agent, NOTHING_ASKED)) return null;
  const { allocated } = agent;
  const row = new Float64Array(strideFor(kinds));
  row[Column.labels] = labelBits(agent.labels);
  row[Column.freeMillicores] = capacity.millicores - allocated.millicores;
  row[Column.freeMemory] = capacity.memoryBytes - allocated.memoryBytes;
  row[Column.millicores] = capacity.millicores;
  row[Column.memory] = capacity.memoryBytes;
  row[Column.gpus] = capacity.gpus;
  // A dimension without capacity does not count for the load, whatever is still allocated in it.
  const counted = (amount: number, of: number) => (of === 0 ? 0 : amount);
  const millicores = counted(allocated.millicores, capacity.millicores);
  const memory = counted(allocated.memoryBytes, capacity.memoryBytes);
  const gpus = counted(allocated.gpus.size, capacity.gpus);
  row[Column.leastMillicores] = -millicores;
  row[Column.leastMemory] = -memory;
  row[Column.leastGpus] = -gpus;
  const shares = [
    millicores / (capacity.millicores || 1),
    memory / (capacity.memoryBytes || 1),
    gpus / (capacity.gpus || 1),
  ] as const;
  row[Column.leastMillicoresShare] = -shares[0];
  row[Column.leastMemoryShare] = -shares[1];
  row[Column.leastGpuShare] = -shares[2];
  row[Column.leastLoad] = -Math.max(...shares);
  row[Column.fewestSessions] = -agent.sessions.size;
  row[Column.fewestDevices] = -capacity.gpus;
  countDevices(row, agent, kinds);
  return row;
}

function countDevices(row: Float64Array, agent: AgentState, kinds: DeviceKinds): void {
  const schedulable = schedulableGpus(agent);
  let claimed = 0;
  for (const gpu of schedulable) {
    const kind = kinds.of(gpu);
    const free = !agent.allocated.gpus.has(gpu.uuid);
    if (!free) claimed += 1;
    row[totalOfKind(kind)] = (row[totalOfKind(kind)] ?? 0) + 1;
    if (free) row[freeOfKind(kind)] = (row[freeOfKind(kind)] ?? 0) + 1;
  }
  row[Column.leastClaimedShare] = -(claimed / Math.max(1, schedulable.length));
}

const NOTHING_ASKED: PlacementRequest = {
  needs: {
    imageId: 'nothing',
    revision: 1,
    reference: 'nothing',
    digest: null,
    millicores: 0,
    memoryBytes: 0,
    cpuMode: 'shares',
    gpu: { kind: 'none' },
    gpuModel: null,
    gpuMemoryBytes: null,
    includeLabels: [],
    excludeLabels: [],
    ports: [],
    shmBytes: null,
    environment: {},
    command: null,
  },
  pinnedAgentId: null,
};
