import { capacityOf } from '../../agents/capacity.ts';
import { coresText, formatCores } from '../../units.ts';
import type { PlacementRule } from '../rule.ts';
import { smallestToEnd } from '../smallestToEnd.ts';

/** `allocated + request <= capacity` in cores; equality fits. More than the whole capacity never fits. */
export const coresShort: PlacementRule = {
  code: 'CORES_SHORT',
  check: (agent, { needs }) => {
    const capacity = capacityOf(agent)?.millicores;
    if (capacity === undefined || needs.millicores === 0) return null;
    const short = agent.allocated.millicores + needs.millicores - capacity;
    if (short <= 0) return null;
    const numbers = { requested: needs.millicores, capacity, allocated: agent.allocated.millicores, short };
    return { never: needs.millicores > capacity, numbers };
  },
  sentence: ({ finding: { never, numbers } }) =>
    never
      ? `it has ${coresText(numbers['capacity'] ?? 0)} in all and ${formatCores(numbers['requested'] ?? 0)} are asked for`
      : `${coresText(numbers['short'] ?? 0)} short: ${formatCores(numbers['allocated'] ?? 0)} of ${formatCores(numbers['capacity'] ?? 0)} are allocated`,
  fix: ({ finding, held }) => {
    const short = finding.numbers['short'] ?? 0;
    if (finding.never) return `raise its cores override by ${formatCores(short)}`;
    const session = smallestToEnd(held, (claim) => claim.millicores, short);
    const instead = session === null ? 'raise its cores override' : `end session ${session}`;
    return `${coresText(short)} short, or ${instead}`;
  },
};
