import type { AgentState } from '../agents/state.ts';
import { inOrder } from './explain.ts';
import type { Explanation } from './explanation.ts';
import type { ReasonCode } from './reasonCodes.ts';
import type { PlacementRequest } from './rule.ts';
import { placementRules } from './rules.ts';

/** How many agents fit, and of the others how many gave each reason. An agent may give several. */
export interface Fits {
  readonly fits: number;
  readonly codes: Explanation['codes'];
}

/** Every rule for every agent, without words. The waiting line is left out: it is of the moment, and not of the agent. */
export function countFits(agents: Iterable<AgentState>, request: PlacementRequest): Fits {
  const codes = new Map<ReasonCode, number>();
  let fits = 0;
  for (const agent of agents) {
    let refused = false;
    for (const rule of placementRules) {
      if (rule.check(agent, request) === null) continue;
      refused = true;
      codes.set(rule.code, (codes.get(rule.code) ?? 0) + 1);
    }
    if (!refused) fits += 1;
  }
  return { fits, codes: inOrder(codes) };
}
