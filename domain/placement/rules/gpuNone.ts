import { NEVER, type PlacementRule } from '../rule.ts';

/** The image needs a GPU and the driver lists none here. */
export const gpuNone: PlacementRule = {
  code: 'GPU_NONE',
  check: (agent, { needs }) => (needs.gpu.kind !== 'none' && agent.hardware?.gpus.length === 0 ? NEVER : null),
  sentence: () => 'it has no GPU',
  fix: () => null,
};
