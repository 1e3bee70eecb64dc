import type { AgentView } from '../../projections/views.ts';
import type { ChangeLog } from './changeLog.ts';
import { rowPlaces, type RowPlaces } from './rowWindow.ts';

/** What is listed, and how high each is, in rem. */
export interface PlacedAgents {
  readonly ids: readonly string[];
  readonly agents: ReadonlyMap<string, AgentView>;
  /** Which of them came, changed or went; null: they do not change. */
  readonly changes: ChangeLog | null;
  /** Of one that is gone it is asked too. Another function counts all places anew. */
  readonly heightOf: (agent: AgentView | undefined) => number;
}

/**
 * Where the rows of agents stand. A patch costs what it changes: all places are counted anew only for another order, or when
 * the height of one that changed is another.
 */
export class AgentPlaces {
  #of: PlacedAgents | null = null;
  #indexes = new Map<string, number>();
  #heights = new Float64Array();
  #read = 0;
  #places: RowPlaces = rowPlaces(0, () => 0);

  /** The same object for as long as no place is another. */
  get places(): RowPlaces {
    return this.#places;
  }

  /** Brings the places up to what is listed now. */
  update(listed: PlacedAgents): void {
    const { ids, agents, changes, heightOf } = listed;
    const before = this.#of;
    const same = before?.ids === ids && before.changes === changes && before.heightOf === heightOf;
    const changed = same ? (changes?.since(this.#read) ?? null) : null;
    if (before?.ids !== ids) this.#indexes = new Map(ids.map((agentId, index) => [agentId, index]));
    this.#of = listed;
    this.#read = changes?.end ?? 0;
    if (changed !== null && !this.#grew(changed, agents, heightOf)) return;
    if (changed === null) this.#heights = Float64Array.from(ids, (agentId) => heightOf(agents.get(agentId)));
    this.#places = rowPlaces(ids.length, (index) => this.#heights[index] ?? 0);
  }

  /** Whether one of them is higher or lower than before; notes how high it is. */
  #grew(changed: ReadonlySet<string>, agents: PlacedAgents['agents'], heightOf: PlacedAgents['heightOf']): boolean {
    let grew = false;
    for (const agentId of changed) {
      const index = this.#indexes.get(agentId);
      if (index === undefined) continue;
      const height = heightOf(agents.get(agentId));
      if (height === this.#heights[index]) continue;
      this.#heights[index] = height;
      grew = true;
    }
    return grew;
  }
}
