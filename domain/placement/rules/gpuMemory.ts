import { enoughOf, hasMemory, hasModel } from '../devices.ts';
import { schedulableGpus } from '../../agents/capacity.ts';
import { formatBytes } from '../../units.ts';
import { NEVER, type PlacementRule } from '../rule.ts';

/**
 * The image asks for more memory per GPU than enough of this agent's devices have: of those of the right model, since one
 * device must meet both.
 */
export const gpuMemory: PlacementRule = {
  code: 'GPU_MEMORY_SHORT',
  check: (agent, { needs }) => {
    const gpus = schedulableGpus(agent).filter((gpu) => hasModel(gpu, needs));
    const matching = gpus.filter((gpu) => hasMemory(gpu, needs));
    if (needs.gpu.kind === 'all' && matching.length < gpus.length) return NEVER;
    const missing = enoughOf(needs.gpu, gpus, matching);
    return missing === null ? null : { ...missing, never: true };
  },
  sentence: ({ request }) => `too few of its GPUs have ${formatBytes(request.needs.gpuMemoryBytes ?? 0)} of memory`,
  fix: () => null,
};
