/** Each simulated agent has a connection of its own, and all of them are in one process. */
export const MOST_SIMULATED_AGENTS = 200;

/** The number of agents that a word says; null when it says none, or more than are simulated. */
export function simulatedCount(text: string): number | null {
  const count = /^[1-9]\d*$/.test(text) ? Number(text) : Number.NaN;
  return count <= MOST_SIMULATED_AGENTS ? count : null;
}
