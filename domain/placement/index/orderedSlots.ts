import type { AgentState } from '../../agents/state.ts';
import { BoundsTree } from './boundsTree.ts';
import { orderOf } from './order.ts';

/** An agent further than this from those of its order is out of place. Slots. */
const NEAR = 16;
/** Sorted again once so many agents, and a quarter of all besides, are out of place. */
const OUT_OF_PLACE_AT_LEAST = 64;
/** Slots per agent when sorted, at least: the gaps take in those that move. */
const ROOM = 1.25;

interface Standing {
  readonly agent: AgentState;
  readonly row: Float64Array;
}

/**
 * The candidates in the slots of a tree, roughly in order, with gaps between them. An agent that changes moves to a gap
 * near to where it belongs now; when too many found none, all are sorted again. Since the order is for speed only, roughly
 * is enough.
 */
export class OrderedSlots {
  readonly #slotOf = new Map<string, number>();
  #tree: BoundsTree;
  #agents: (AgentState | null)[] = [];
  /** The order of each agent when they were last sorted, ascending. */
  #places = new Float64Array(0);
  #outOfPlace = 0;

  constructor(stride: number) {
    this.#tree = new BoundsTree(0, stride);
  }

  /** Another one after each sorting. */
  get tree(): BoundsTree {
    return this.#tree;
  }

  agentIn(slot: number): AgentState | null {
    return this.#agents[slot] ?? null;
  }

  find(agentId: string): AgentState | null {
    return this.agentIn(this.#slotOf.get(agentId) ?? -1);
  }

  remove(agentId: string): void {
    const slot = this.#slotOf.get(agentId);
    if (slot === undefined) return;
    this.#slotOf.delete(agentId);
    this.#agents[slot] = null;
    this.#tree.set(slot, agentId, null);
  }

  /** Takes an agent in, or takes it as it is now. */
  put(agent: AgentState, row: Float64Array): void {
    const { agentId } = agent;
    const present = this.#slotOf.get(agentId);
    const slot = this.#slotFor(row, present);
    if (slot === null) {
      this.sort([...this.#standing(), { agent, row }]);
      return;
    }
    if (present !== undefined && present !== slot) this.remove(agentId);
    this.#slotOf.set(agentId, slot);
    this.#agents[slot] = agent;
    this.#tree.set(slot, agentId, row);
  }

  /** Sorts them again when too many are out of place. */
  tidy(): void {
    if (this.#outOfPlace > OUT_OF_PLACE_AT_LEAST + this.#slotOf.size / 4) this.sort(this.#standing());
  }

  sort(standing: readonly Standing[]): void {
    const sorted = standing.map(({ agent, row }) => ({ agent, row, order: orderOf(row) }));
    sorted.sort((a, b) => a.order - b.order || (a.agent.agentId < b.agent.agentId ? -1 : 1));
    const tree = new BoundsTree(sorted.length * ROOM, this.#tree.stride);
    this.#agents = Array.from({ length: tree.slots }, () => null);
    this.#slotOf.clear();
    for (const [place, { agent, row }] of sorted.entries()) {
      const slot = Math.floor((place * tree.slots) / sorted.length);
      this.#slotOf.set(agent.agentId, slot);
      this.#agents[slot] = agent;
      tree.setLeaf(slot, agent.agentId, row);
    }
    tree.raiseAll();
    this.#tree = tree;
    this.#places = Float64Array.from(sorted, ({ order }) => order);
    this.#outOfPlace = 0;
  }

  #standing(): readonly Standing[] {
    return this.#agents.flatMap((agent, slot) => (agent === null ? [] : [{ agent, row: this.#tree.row(slot) }]));
  }

  /** The slot to be in: the present one when it is near enough, else the nearest gap; null when there is none at all. */
  #slotFor(row: Float64Array, present: number | undefined): number | null {
    const { slots } = this.#tree;
    const order = orderOf(row);
    const slotAt = (place: number) => Math.floor((place * slots) / Math.max(1, this.#places.length));
    // Many may be of the same order: anywhere among them is right.
    const [first, last] = [slotAt(this.#placeOf(order)), slotAt(this.#placeOf(order + 1))];
    const middle = Math.min(slots - 1, (first + last) >>> 1);
    const near = (last - first) / 2 + NEAR;
    if (present !== undefined && Math.abs(present - middle) <= near) return present;
    for (let away = 0; away <= near; away += 1) {
      if (this.#agents[middle - away] === null) return middle - away;
      if (this.#agents[middle + away] === null) return middle + away;
    }
    this.#outOfPlace += 1;
    const anywhere = present ?? this.#agents.indexOf(null);
    return anywhere < 0 ? null : anywhere;
  }

  /** How many stood before this order when all were sorted. */
  #placeOf(order: number): number {
    let low = 0;
    let high = this.#places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#places[middle] ?? 0) < order) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
