import type { PlacementRule } from './rule.ts';
import { agentDisabled } from './rules/agentDisabled.ts';
import { agentLate } from './rules/agentLate.ts';
import { agentMissing } from './rules/agentMissing.ts';
import { agentPending } from './rules/agentPending.ts';
import { coresShort } from './rules/coresShort.ts';
import { engineDown } from './rules/engineDown.ts';
import { gpuAllEmpty } from './rules/gpuAllEmpty.ts';
import { gpuFree } from './rules/gpuFree.ts';
import { gpuMemory } from './rules/gpuMemory.ts';
import { gpuModel } from './rules/gpuModel.ts';
import { gpuNone } from './rules/gpuNone.ts';
import { gpuNotUsable } from './rules/gpuNotUsable.ts';
import { gpuTotal } from './rules/gpuTotal.ts';
import { gpuUnhealthy } from './rules/gpuUnhealthy.ts';
import { labelExcluded } from './rules/labelExcluded.ts';
import { labelMissing } from './rules/labelMissing.ts';
import { memoryShort } from './rules/memoryShort.ts';
import { pinnedElsewhere } from './rules/pinnedElsewhere.ts';

/** Every rule, in the order in which reasons are shown. All of them run for every agent when an answer is explained. */
export const placementRules: readonly PlacementRule[] = [
  agentPending,
  agentDisabled,
  agentLate,
  agentMissing,
  engineDown,
  pinnedElsewhere,
  labelMissing,
  labelExcluded,
  coresShort,
  memoryShort,
  gpuNone,
  gpuTotal,
  gpuNotUsable,
  gpuUnhealthy,
  gpuModel,
  gpuMemory,
  gpuFree,
  gpuAllEmpty,
];
