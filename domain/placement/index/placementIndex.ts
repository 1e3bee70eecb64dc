import type { AgentState } from '../../agents/state.ts';
import { loadAfter, type Scored } from '../leastLoad.ts';
import { fits, isReserved, relativeShortfall, waitingHelps, type Reservation } from '../place.ts';
import type { PlacementRequest } from '../rule.ts';
import { agentRow, Column, strideFor } from './agentRow.ts';
import { loadBound, shortfallBound, wantedBy } from './bounds.ts';
import { DeviceKinds } from './deviceKinds.ts';
import { OrderedSlots } from './orderedSlots.ts';
import { search } from './search.ts';

/**
 * Finds the agents that `place` and `reserve` find, without asking each one: candidates stand in a tree of bounds, and the
 * rules themselves are asked of the few that the bounds leave over.
 *
 * It is told which agents may have changed (`touch`) and looks at them again when it is next used (`refresh`).
 */
export class PlacementIndex {
  readonly #agents: ReadonlyMap<string, AgentState>;
  readonly #touched = new Set<string>();
  #kinds = new DeviceKinds();
  #slots = new OrderedSlots(0);

  /** `agents` is the state's own map: the index reads it for ever, and never writes it. */
  constructor(agents: ReadonlyMap<string, AgentState>) {
    this.#agents = agents;
    this.#build();
  }

  touch(agentId: string): void {
    this.#touched.add(agentId);
  }

  /** Brings the index up to the state; what was only supposed is forgotten. */
  refresh(): void {
    if (this.#touched.size === 0) return;
    const known = this.#kinds.count;
    for (const agentId of this.#touched) this.#kinds.learn(this.#agents.get(agentId)?.hardware?.gpus ?? []);
    if (this.#kinds.count > known) this.#build();
    else for (const agentId of this.#touched) this.#look(agentId, this.#agents.get(agentId) ?? null);
    this.#touched.clear();
    this.#slots.tidy();
  }

  /** Until the next `refresh`, takes an agent as it would be. */
  suppose(agent: AgentState): void {
    this.#touched.add(agent.agentId);
    this.#look(agent.agentId, agent);
  }

  /** Up to `most` of the agents that can take the request, in the order of least load. */
  best(request: PlacementRequest, reservation: Reservation | null, most: number): readonly Scored[] {
    const takes = (agent: AgentState) => fits(agent, request) && !isReserved(agent, request, reservation);
    if (request.pinnedAgentId !== null) {
      const agent = this.#slots.find(request.pinnedAgentId);
      return agent === null || !takes(agent) ? [] : [{ agent, load: loadAfter(agent, request) }];
    }
    const { tree } = this.#slots;
    const wanted = wantedBy(request, this.#kinds);
    const hunt = {
      bound: (node: number) => loadBound(tree, node, wanted),
      fewestSessions: (node: number) => -(tree.values[node * tree.stride + Column.fewestSessions] ?? 0),
      score: (agent: AgentState) => (takes(agent) ? loadAfter(agent, request) : null),
      sessionsCount: true,
    };
    return search(this.#slots, hunt, most).map(({ agent, score }) => ({ agent, load: score }));
  }

  /** The agent that is kept for a request that fits nowhere. */
  reserve(request: PlacementRequest): Reservation | null {
    if (request.pinnedAgentId !== null) {
      const agent = this.#slots.find(request.pinnedAgentId);
      return agent === null || !waitingHelps(agent, request) ? null : { agentId: agent.agentId, request };
    }
    const { tree } = this.#slots;
    const wanted = wantedBy(request, this.#kinds);
    const hunt = {
      bound: (node: number) => shortfallBound(tree, node, wanted),
      fewestSessions: () => 0,
      score: (agent: AgentState) => (waitingHelps(agent, request) ? relativeShortfall(agent, request) : null),
      sessionsCount: false,
    };
    const [nearest] = search(this.#slots, hunt, 1);
    return nearest === undefined ? null : { agentId: nearest.agent.agentId, request };
  }

  #look(agentId: string, agent: AgentState | null): void {
    const row = agent === null ? null : agentRow(agent, this.#kinds);
    if (agent === null || row === null) this.#slots.remove(agentId);
    else this.#slots.put(agent, row);
  }

  #build(): void {
    this.#kinds = new DeviceKinds();
    for (const { hardware } of this.#agents.values()) this.#kinds.learn(hardware?.gpus ?? []);
    this.#slots = new OrderedSlots(strideFor(this.#kinds));
    const standing = [...this.#agents.values()].flatMap((agent) => {
      const row = agentRow(agent, this.#kinds);
      return row === null ? [] : [{ agent, row }];
    });
    this.#slots.sort(standing);
  }
}
