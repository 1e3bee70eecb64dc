import { capacityOf } from '../../agents/capacity.ts';
import { formatBytes } from '../../units.ts';
import type { PlacementRule } from '../rule.ts';
import { smallestToEnd } from '../smallestToEnd.ts';

/** `allocated + request <= capacity` in memory; equality fits. More than the whole capacity never fits. */
export const memoryShort: PlacementRule = {
  code: 'MEMORY_SHORT',
  check: (agent, { needs }) => {
    const capacity = capacityOf(agent)?.memoryBytes;
    if (capacity === undefined || needs.memoryBytes === 0) return null;
    const short = agent.allocated.memoryBytes + needs.memoryBytes - capacity;
    if (short <= 0) return null;
    const numbers = { requested: needs.memoryBytes, capacity, allocated: agent.allocated.memoryBytes, short };
    return { never: needs.memoryBytes > capacity, numbers };
  },
  sentence: ({ finding: { never, numbers } }) =>
    never
      ? `it has ${formatBytes(numbers['capacity'] ?? 0)} of memory in all and ${formatBytes(numbers['requested'] ?? 0)} are asked for`
      : `${formatBytes(numbers['short'] ?? 0)} of memory short: ${formatBytes(numbers['allocated'] ?? 0)} of ${formatBytes(numbers['capacity'] ?? 0)} are allocated`,
  fix: ({ finding, held }) => {
    const short = finding.numbers['short'] ?? 0;
    if (finding.never) return `raise its memory override by ${formatBytes(short)}`;
    const session = smallestToEnd(held, (claim) => claim.memoryBytes, short);
    const instead = session === null ? 'raise its memory override' : `end session ${session}`;
    return `${formatBytes(short)} short, or ${instead}`;
  },
};
