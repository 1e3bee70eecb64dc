import { matchingGpus } from '../devices.ts';
import type { PlacementRule } from '../rule.ts';

/** The agent has that many, but other sessions hold them. */
export const gpuFree: PlacementRule = {
  code: 'GPU_FREE_INSUFFICIENT',
  check: (agent, { needs }) => {
    if (needs.gpu.kind !== 'count') return null;
    const matching = matchingGpus(agent, needs);
    const requested = needs.gpu.count;
    const free = matching.filter((gpu) => !agent.allocated.gpus.has(gpu.uuid)).length;
    if (matching.length < requested || free >= requested) return null;
    return { never: false, numbers: { requested, free, matching: matching.length, short: requested - free } };
  },
  sentence: ({ finding: { numbers } }) =>
    `${numbers['free'] ?? 0} of its ${numbers['matching'] ?? 0} fitting GPUs are free and ${numbers['requested'] ?? 0} are asked for`,
  fix: ({ agent }) => {
    const holder = agent.allocated.gpus.values().next().value;
    return holder === undefined ? null : `wait for a GPU, or end session ${holder}`;
  },
};
