import type { AgentView } from '../../projections/views.ts';
import { agentFilter, type AgentListing } from './agentFilter.ts';
import { sortKey, type SortKey } from './agentSorts.ts';
import type { Fleet } from './fleet.ts';

interface Entry {
  readonly agentId: string;
  readonly hostname: string;
  readonly key: SortKey;
}

type Compare = (a: Entry, b: Entry) => number;

const TEXT = new Intl.Collator('en', { numeric: true });

/**
 * The agents that are shown, in order. A patch costs what it changes: rows whose place stays are not looked at, and those
 * that move are taken out and merged in again. Nothing is sorted anew but for another filter or order.
 */
export class AgentOrder {
  #entries: readonly Entry[] = [];
  readonly #byId = new Map<string, Entry>();
  #of: { readonly agents: Fleet['agents']; readonly listing: AgentListing } | null = null;
  #read = 0;
  #ids: readonly string[] = [];

  /** The same array for as long as the order is the same. */
  get ids(): readonly string[] {
    return this.#ids;
  }

  /** Brings the order up to what the fleet is now. */
  update(fleet: Fleet, listing: AgentListing): void {
    const same = this.#of?.agents === fleet.agents && this.#of.listing === listing;
    const changed = same ? fleet.agentChanges.since(this.#read) : null;
    this.#of = { agents: fleet.agents, listing };
    this.#read = fleet.agentChanges.end;
    if (changed === null) this.#begin(fleet, listing);
    else this.#move(fleet, listing, changed);
  }

  #begin({ agents }: Fleet, listing: AgentListing): void {
    const shows = agentFilter(listing);
    this.#byId.clear();
    for (const agent of agents.values()) if (shows(agent)) this.#byId.set(agent.agentId, entryOf(agent, listing));
    this.#set([...this.#byId.values()].toSorted(comparing(listing)));
  }

  #move({ agents }: Fleet, listing: AgentListing, changed: ReadonlySet<string>): void {
    const shows = agentFilter(listing);
    const [out, into]: [Set<Entry>, Entry[]] = [new Set(), []];
    for (const agentId of changed) {
      const agent = agents.get(agentId);
      const before = this.#byId.get(agentId);
      const after = agent !== undefined && shows(agent) ? entryOf(agent, listing) : undefined;
      if (before?.key === after?.key && before?.hostname === after?.hostname) continue;
      if (before !== undefined) out.add(before);
      if (after === undefined) this.#byId.delete(agentId);
      else {
        this.#byId.set(agentId, after);
        into.push(after);
      }
    }
    if (out.size === 0 && into.length === 0) return;
    const compare = comparing(listing);
    const stay = out.size === 0 ? this.#entries : this.#entries.filter((entry) => !out.has(entry));
    this.#set(merged(stay, into.toSorted(compare), compare));
  }

  #set(entries: readonly Entry[]): void {
    this.#entries = entries;
    this.#ids = entries.map(({ agentId }) => agentId);
  }
}

function entryOf(agent: AgentView, { sort }: AgentListing): Entry {
  return { agentId: agent.agentId, hostname: agent.hostname, key: sortKey(agent, sort.by) };
}

/** By the key, what is not known last; then by name and id, so that the order is total. */
function comparing({ sort }: AgentListing): Compare {
  const sign = sort.descending ? -1 : 1;
  return (a, b) =>
    Number(a.key === null) - Number(b.key === null) ||
    sign * compareKeys(a.key, b.key) ||
    TEXT.compare(a.hostname, b.hostname) ||
    (a.agentId < b.agentId ? -1 : Number(a.agentId > b.agentId));
}

function compareKeys(a: SortKey, b: SortKey): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return typeof a === 'string' && typeof b === 'string' ? TEXT.compare(a, b) : 0;
}

/** Two sorted lists as one. */
function merged(a: readonly Entry[], b: readonly Entry[], compare: Compare): readonly Entry[] {
  const all: Entry[] = [];
  let next = 0;
  for (const entry of a) {
    for (let other = b[next]; other !== undefined && compare(other, entry) < 0; other = b[next]) {
      all.push(other);
      next += 1;
    }
    all.push(entry);
  }
  return [...all, ...b.slice(next)];
}
