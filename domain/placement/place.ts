import type { AgentState } from '../agents/state.ts';
import type { Claim } from '../schemas.ts';
import { capacityOf, type Amounts } from '../agents/capacity.ts';
import type { ImageNeeds } from '../images/image.ts';
import { chooseDevices, matchingGpus } from './devices.ts';
import { compareLeastLoad, loadAfter, type Scored } from './leastLoad.ts';
import type { PlacementRequest } from './rule.ts';
import { placementRules } from './rules.ts';

/**
 * Placement is a pure function of the log: agents, claims and the request, nothing measured, no clock, no random.
 *
 * Somebody waiting further ahead may have an agent reserved: a later request takes that agent only if the shortfall of
 * the one ahead does not grow by it.
 */
export interface Reservation {
  readonly agentId: string;
  readonly request: PlacementRequest;
}

export type Placement =
  | { readonly kind: 'placed'; readonly agentId: string; readonly claim: Claim }
  | { readonly kind: 'nowhere' };

/**
 * The agent that takes the request now, by least load, or nowhere. Asks every agent: what the index has to agree with, and
 * what history is explained with.
 */
export function place(
  agents: Iterable<AgentState>,
  request: PlacementRequest,
  reservation: Reservation | null,
): Placement {
  let best: Scored | null = null;
  for (const agent of agents) {
    if (!fits(agent, request) || isReserved(agent, request, reservation)) continue;
    const scored = { agent, load: loadAfter(agent, request) };
    if (best === null || compareLeastLoad(scored, best) < 0) best = scored;
  }
  return best === null ? { kind: 'nowhere' } : placementOn(best.agent, request);
}

/** What the request holds on an agent that takes it. */
export function placementOn(agent: AgentState, request: PlacementRequest): Extract<Placement, { kind: 'placed' }> {
  return { kind: 'placed', agentId: agent.agentId, claim: claimOn(agent, request) };
}

function claimOn(agent: AgentState, { needs }: PlacementRequest): Claim {
  return {
    millicores: needs.millicores,
    memoryBytes: needs.memoryBytes,
    gpuUuids: [...chooseDevices(agent, needs)],
  };
}

export function fits(agent: AgentState, request: PlacementRequest): boolean {
  return placementRules.every((rule) => rule.check(agent, request) === null);
}

/** Would this request, on this agent, push back the one that waits ahead? */
export function isReserved(agent: AgentState, request: PlacementRequest, reservation: Reservation | null): boolean {
  if (reservation === null || reservation.agentId !== agent.agentId) return false;
  const before = shortfall(agent, reservation.request, NOTHING);
  const after = shortfall(agent, reservation.request, claimOn(agent, request));
  return after.millicores > before.millicores || after.memoryBytes > before.memoryBytes || after.gpus > before.gpus;
}

/**
 * The agent that is kept for a request that fits nowhere: the one with the smallest shortfall, as the largest share of
 * capacity over the dimensions, among those where nothing but resources stands in its way; ties by id. Asks every agent,
 * as `place` does.
 */
export function reserve(agents: Iterable<AgentState>, request: PlacementRequest): Reservation | null {
  let best: { readonly agentId: string; readonly short: number } | null = null;
  for (const agent of agents) {
    if (!waitingHelps(agent, request)) continue;
    const short = relativeShortfall(agent, request);
    if (best === null || short < best.short || (short === best.short && agent.agentId < best.agentId)) {
      best = { agentId: agent.agentId, short };
    }
  }
  return best === null ? null : { agentId: best.agentId, request };
}

const NOTHING: Claim = { millicores: 0, memoryBytes: 0, gpuUuids: [] };
const NO_CAPACITY: Amounts = { millicores: 0, memoryBytes: 0, gpus: 0 };
const RESOURCE_CODES = new Set(['CORES_SHORT', 'MEMORY_SHORT', 'GPU_FREE_INSUFFICIENT', 'GPU_ALL_NEEDS_EMPTY']);

/** Only "not now" for want of resources: when sessions end here, the request will fit here. */
export function waitingHelps(agent: AgentState, request: PlacementRequest): boolean {
  return placementRules.every((rule) => {
    const finding = rule.check(agent, request);
    return finding === null || (!finding.never && RESOURCE_CODES.has(rule.code));
  });
}

/** How much of each dimension the request lacks on the agent if `extra` were taken first. Base units, 0 when it fits. */
function shortfall(agent: AgentState, { needs }: PlacementRequest, extra: Claim): Amounts {
  const capacity = capacityOf(agent) ?? NO_CAPACITY;
  const { allocated } = agent;
  return {
    millicores: over(allocated.millicores + extra.millicores + needs.millicores, capacity.millicores),
    memoryBytes: over(allocated.memoryBytes + extra.memoryBytes + needs.memoryBytes, capacity.memoryBytes),
    gpus: needs.gpu.kind === 'none' ? 0 : shortOfGpus(agent, needs, extra.gpuUuids),
  };
}

/** Only devices that the request could have count: one of another model, free or taken, is nothing to it. */
function shortOfGpus(agent: AgentState, needs: ImageNeeds, taken: readonly string[]): number {
  const matching = matchingGpus(agent, needs);
  const free = matching.filter(({ uuid }) => !agent.allocated.gpus.has(uuid) && !taken.includes(uuid)).length;
  return over(needs.gpu.kind === 'count' ? needs.gpu.count : matching.length, free);
}

/** The largest share of its capacity, over the dimensions, that an agent lacks for the request; 0 when it fits. */
export function relativeShortfall(agent: AgentState, request: PlacementRequest): number {
  const short = shortfall(agent, request, NOTHING);
  const capacity = capacityOf(agent) ?? NO_CAPACITY;
  return Math.max(
    short.millicores / Math.max(1, capacity.millicores),
    short.memoryBytes / Math.max(1, capacity.memoryBytes),
    short.gpus / Math.max(1, capacity.gpus),
  );
}

function over(amount: number, capacity: number): number {
  return Math.max(0, amount - capacity);
}
