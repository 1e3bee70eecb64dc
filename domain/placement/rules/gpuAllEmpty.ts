import { schedulableGpus } from '../../agents/capacity.ts';
import type { PlacementRule } from '../rule.ts';

/** "All" is every schedulable device of one agent, exclusively: none of them may be claimed. */
export const gpuAllEmpty: PlacementRule = {
  code: 'GPU_ALL_NEEDS_EMPTY',
  check: (agent, { needs }) => {
    if (needs.gpu.kind !== 'all') return null;
    const gpus = schedulableGpus(agent);
    const claimed = gpus.filter((gpu) => agent.allocated.gpus.has(gpu.uuid)).length;
    return claimed === 0 ? null : { never: false, numbers: { schedulable: gpus.length, claimed } };
  },
  sentence: ({ finding: { numbers } }) =>
    `all its GPUs are asked for and ${numbers['claimed'] ?? 0} of ${numbers['schedulable'] ?? 0} are held by other sessions`,
  fix: ({ agent }) => {
    const holders = [...new Set(agent.allocated.gpus.values())].toSorted();
    const [only] = holders;
    return holders.length === 1 && only !== undefined
      ? `end session ${only}`
      : `end the ${holders.length} sessions that hold its GPUs`;
  },
};
