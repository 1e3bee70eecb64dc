import { enoughOf, hasModel } from '../devices.ts';
import { schedulableGpus } from '../../agents/capacity.ts';
import { NEVER, type PlacementRule } from '../rule.ts';

/** The image asks for a model of GPU that this agent has too few of. */
export const gpuModel: PlacementRule = {
  code: 'GPU_MODEL_MISMATCH',
  check: (agent, { needs }) => {
    const gpus = schedulableGpus(agent);
    const matching = gpus.filter((gpu) => hasModel(gpu, needs));
    if (needs.gpu.kind === 'all' && matching.length < gpus.length) return NEVER;
    const missing = enoughOf(needs.gpu, gpus, matching);
    return missing === null ? null : { ...missing, never: true };
  },
  sentence: ({ request }) => `too few of its GPUs match the model "${request.needs.gpuModel}"`,
  fix: () => null,
};
