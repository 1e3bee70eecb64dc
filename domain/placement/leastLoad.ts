import { capacityOf } from '../agents/capacity.ts';
import type { AgentState } from '../agents/state.ts';
import type { PlacementRequest } from './rule.ts';

/**
 * Load L of an agent if it took the request: the largest over the dimensions of (allocated + request) / capacity.
 * Allocation, never measured use. Dimensions without capacity do not count.
 */
export function loadAfter(agent: AgentState, { needs }: PlacementRequest): number {
  const capacity = capacityOf(agent);
  if (capacity === null) return Infinity;
  const gpus = needs.gpu.kind === 'all' ? capacity.gpus : needs.gpu.kind === 'count' ? needs.gpu.count : 0;
  return Math.max(
    share(agent.allocated.millicores + needs.millicores, capacity.millicores),
    share(agent.allocated.memoryBytes + needs.memoryBytes, capacity.memoryBytes),
    share(agent.allocated.gpus.size + gpus, capacity.gpus),
  );
}

/** `least-load`: the lowest L; ties by fewer sessions, then by id. A total order, so the same input gives the same answer. */
export function compareLeastLoad(a: Scored, b: Scored): number {
  if (a.load !== b.load) return a.load - b.load;
  if (a.agent.sessions.size !== b.agent.sessions.size) return a.agent.sessions.size - b.agent.sessions.size;
  return a.agent.agentId < b.agent.agentId ? -1 : 1;
}

export interface Scored {
  readonly agent: AgentState;
  readonly load: number;
}

function share(amount: number, capacity: number): number {
  return capacity === 0 ? 0 : amount / capacity;
}
