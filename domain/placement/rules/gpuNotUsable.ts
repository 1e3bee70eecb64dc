import { gpusText } from '../../units.ts';
import { enoughOf } from '../devices.ts';
import type { PlacementRule } from '../rule.ts';

/** The driver lists enough devices, but the container engine cannot inject them. */
export const gpuNotUsable: PlacementRule = {
  code: 'GPU_NOT_USABLE',
  check: (agent, { needs }) => {
    const gpus = agent.hardware?.gpus ?? [];
    return enoughOf(
      needs.gpu,
      gpus,
      gpus.filter((gpu) => gpu.usable),
    );
  },
  sentence: ({ agent, finding: { numbers } }) => {
    const why = agent.hardware?.gpus.find((gpu) => !gpu.usable)?.unusableReason;
    const counts = `only ${numbers['left'] ?? 0} of its ${gpusText(numbers['of'] ?? 0)} can be given to a container`;
    return why === null || why === undefined ? counts : `${counts}: ${why}`;
  },
  fix: () => 'install the NVIDIA Container Toolkit and restart the container engine',
};
