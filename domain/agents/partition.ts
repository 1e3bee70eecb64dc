import type { AgentState } from './state.ts';

/** How many of a zone's agents fell silent at once, of those that were expected to speak. */
export interface SuspectedPartition {
  readonly silent: number;
  readonly expected: number;
}

/** Fewer than this are hosts that failed, however small the zone. */
const FEWEST = 2;
/** More than one in five. */
const ONE_IN = 5;

/**
 * PARTITION_SUSPECTED: more than a fifth of a zone's agents fell silent within one window, which is rather the network
 * than that many hosts. Expected to speak are those online, late or missing: one declared lost, or never heard, is not.
 * A function of state alone, so every gateway and every replay sees the same. Null when nothing is suspected.
 * `windowSeconds` must be longer than an interval between check-ins: what one cut silences was last heard within that.
 */
export function suspectedPartition(agents: Iterable<AgentState>, windowSeconds: number): SuspectedPartition | null {
  let expected = 0;
  const silentSince: number[] = [];
  for (const agent of agents) {
    if (agent.connectivity === 'never' || agent.connectivity === 'lost') continue;
    expected += 1;
    if (agent.silentSince !== null) silentSince.push(Date.parse(agent.silentSince));
  }
  const silent = mostWithin(silentSince, windowSeconds * 1000);
  return silent >= FEWEST && silent * ONE_IN > expected ? { silent, expected } : null;
}

/** The most of these times that lie within `width` of each other. */
function mostWithin(times: readonly number[], width: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  let most = 0;
  let first = 0;
  for (const [last, time] of sorted.entries()) {
    while (time - (sorted[first] ?? time) > width) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
