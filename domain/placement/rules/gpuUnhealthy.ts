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
  sentence: ({ agent, finding: { numbers } }) => {
    const counts = `only ${numbers['left'] ?? 0} of its ${numbers['of'] ?? 0} usable GPUs are healthy`;
    const failed = agent.hardware?.gpus.filter((gpu) => gpu.usable && gpu.health === 'failed') ?? [];
    const [only] = failed;
    if (failed.length !== 1 || only === undefined || only.healthReason === null) return counts;
    return `${counts}; GPU ${only.index}: ${only.healthReason}`;
  },
  fix: () => 'replace or reset the failed GPU',
};
