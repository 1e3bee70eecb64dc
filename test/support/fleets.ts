import type { AgentState } from '../../domain/agents/state.ts';
import type { ZoneFact } from '../../domain/events.ts';
import { compareLeastLoad, loadAfter } from '../../domain/placement/leastLoad.ts';
import { fits, isReserved, type Reservation } from '../../domain/placement/place.ts';
import type { PlacementRequest } from '../../domain/placement/rule.ts';
import type { GpuDevice, Hardware } from '../../domain/schemas.ts';
import { evolveZone } from '../../domain/zone/evolve.ts';
import { initialZone, type ZoneState } from '../../domain/zone/state.ts';
import { NOW, aGpu, aHardware, aPlacedSession } from './builders.ts';

/** Fleets of many agents for the specs of placement, and what asking every one of them answers. */

export interface HardwareSeen {
  readonly agentId: string;
  readonly hardware: Pick<Hardware, 'millicores' | 'memoryBytes'> & { readonly gpus: readonly Partial<GpuDevice>[] };
}

export function joined(agentId: string): readonly ZoneFact[] {
  return [{ type: 'AgentJoined', data: { agentId, hostname: agentId, simulated: false } }];
}

export function returned(agentId: string): readonly ZoneFact[] {
  return [{ type: 'AgentReturned', data: { agentId, from: 'late' } }];
}

export function observedHardware({
  agentId,
  hardware: { millicores, memoryBytes, gpus },
}: HardwareSeen): readonly ZoneFact[] {
  const devices = gpus.map((gpu, index) => aGpu(index, { ...gpu, uuid: `GPU-${agentId}-${index}` }));
  const data = { agentId, hardware: { ...aHardware({ gpus: devices }), millicores, memoryBytes }, previous: null };
  return [{ type: 'AgentHardwareChanged', data }];
}

/** Agents `agent-0`, `agent-1` … of the given hardware, online and empty. */
export function fleetOf(all: readonly HardwareSeen['hardware'][]): ZoneState {
  const state = initialZone();
  for (const [index, hardware] of all.entries()) {
    const agentId = `agent-${index}`;
    apply(state, [...joined(agentId), ...observedHardware({ agentId, hardware }), ...returned(agentId)]);
  }
  return state;
}

export function apply(state: ZoneState, facts: readonly ZoneFact[]): void {
  for (const fact of facts) evolveZone(state, fact, { version: 1, time: NOW });
}

let sessions = 0;

/** A session of its own id that holds a claim there, whether it fits or not. */
export function held({ needs }: PlacementRequest, agentId: string, gpuUuids: readonly string[]): readonly ZoneFact[] {
  sessions += 1;
  return aPlacedSession({ id: `s-${sessions}`, on: agentId, image: needs, gpuUuids });
}

/** The end of one of the sessions that hold claims. */
export function ended(state: ZoneState, pick: number): readonly ZoneFact[] {
  const session = [...state.sessions.values()].at(pick % Math.max(1, state.sessions.size));
  if (session === undefined || session.phase === 'waiting') return [];
  const { sessionId, agentId } = session;
  return [{ type: 'SessionEnded', data: { sessionId, agentId, cause: 'USER', exitCode: null } }];
}

/** The same question to every agent: who fits, in the order of least load. */
export function ranking(state: ZoneState, wish: PlacementRequest, reservation: Reservation | null) {
  return [...state.agents.values()]
    .filter((agent) => fits(agent, wish) && !isReserved(agent, wish, reservation))
    .map((agent) => ({ agent, load: loadAfter(agent, wish) }))
    .toSorted(compareLeastLoad);
}

/** Ids and loads, to be compared. */
export const named = (ranked: readonly { readonly agent: AgentState; readonly load: number }[]) =>
  ranked.map(({ agent, load }) => [agent.agentId, load]);
