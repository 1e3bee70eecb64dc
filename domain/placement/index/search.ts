import type { AgentState } from '../../agents/state.ts';
import type { OrderedSlots } from './orderedSlots.ts';

/** What is looked for: the agents with the lowest score; ties by fewer sessions, where they count, then by id. */
export interface Hunt {
  /** No agent below the node scores lower; Infinity when none below it will do. */
  bound(node: number): number;
  /** No agent below the node has fewer sessions; always 0 where sessions do not count. */
  fewestSessions(node: number): number;
  /** The agent's own score, or null when it will not do. */
  score(agent: AgentState): number | null;
  readonly sessionsCount: boolean;
}

export interface Found {
  readonly agent: AgentState;
  readonly score: number;
}

interface Rank {
  readonly score: number;
  readonly sessions: number;
  readonly id: string;
}

/**
 * The first `most` in the order of the hunt: branch and bound. The more promising child is looked into first, and nothing
 * is looked into that, at its very best, would come after the last of those found. What is found is decided by the
 * agent's own score alone; the bounds only say where not to look.
 */
export function search(slots: OrderedSlots, hunt: Hunt, most: number): readonly Found[] {
  const { tree } = slots;
  const found: (Found & { readonly rank: Rank })[] = [];
  let last: Rank | null = null;

  function look(node: number, best: Rank | null): void {
    if (best === null || !wouldBeFound(best)) return;
    const slot = tree.slotAt(node);
    if (slot >= 0) {
      const agent = slots.agentIn(slot);
      if (agent !== null) take(agent);
      return;
    }
    const [left, right] = [2 * node, 2 * node + 1];
    const bestLeft = bestBelow(left);
    const bestRight = bestBelow(right);
    const leftFirst = bestRight === null || (bestLeft !== null && comesBefore(bestLeft, bestRight));
    look(leftFirst ? left : right, leftFirst ? bestLeft : bestRight);
    look(leftFirst ? right : left, leftFirst ? bestRight : bestLeft);
  }

  /** The rank that nobody below the node comes before; null when nobody below it will do or would be found. */
  function bestBelow(node: number): Rank | null {
    const score = hunt.bound(node);
    if (score === Infinity || (last !== null && score > last.score)) return null;
    const id = tree.lowestId(node);
    return id === null ? null : { score, sessions: hunt.fewestSessions(node), id };
  }

  function wouldBeFound(rank: Rank): boolean {
    return last === null || comesBefore(rank, last);
  }

  function take(agent: AgentState): void {
    const score = hunt.score(agent);
    if (score === null) return;
    const rank = { score, sessions: hunt.sessionsCount ? agent.sessions.size : 0, id: agent.agentId };
    if (!wouldBeFound(rank)) return;
    const place = found.findIndex((other) => comesBefore(rank, other.rank));
    found.splice(place < 0 ? found.length : place, 0, { agent, score, rank });
    if (found.length > most) found.pop();
    if (found.length === most) last = found.at(-1)?.rank ?? null;
  }

  look(1, bestBelow(1));
  return found;
}

function comesBefore(a: Rank, b: Rank): boolean {
  if (a.score !== b.score) return a.score < b.score;
  if (a.sessions !== b.sessions) return a.sessions < b.sessions;
  return a.id < b.id;
}
