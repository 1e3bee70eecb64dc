import { enoughOf } from '../devices.ts';
import { schedulableGpus } from '../../agents/capacity.ts';
import type { PlacementRule } from '../rule.ts';

/** Failed devices take no new session. */
export const gpuUnhealthy: PlacementRule = {
  code: 'GPU_UNHEALTHY',
  check: (agent, { needs }) => {
    const usable = agent.hardware?.gpus.filter((gpu) => gpu.usable) ?? [];
    return enoughOf(needs.gpu, usable, schedulableGpus(agent));
  },
  sentence: ({ finding: { numbers } }) =>
    `only ${numbers['left'] ?? 0} of its ${numbers['of'] ?? 0} usable GPUs are healthy`,
  fix: () => 'replace or reset the failed GPU',
};
