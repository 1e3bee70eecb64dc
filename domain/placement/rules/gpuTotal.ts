import { gpusText } from '../../units.ts';
import type { PlacementRule } from '../rule.ts';

/** This agent never has that many devices. (That they are not free now is another refusal.) */
export const gpuTotal: PlacementRule = {
  code: 'GPU_TOTAL_INSUFFICIENT',
  check: (agent, { needs }) => {
    if (needs.gpu.kind !== 'count' || agent.hardware === null) return null;
    const detected = agent.hardware.gpus.length;
    const requested = needs.gpu.count;
    return detected >= requested
      ? null
      : { never: true, numbers: { requested, detected, short: requested - detected } };
  },
  sentence: ({ finding: { numbers } }) =>
    `it has ${gpusText(numbers['detected'] ?? 0)} in all and ${numbers['requested'] ?? 0} are asked for`,
  fix: () => null,
};
