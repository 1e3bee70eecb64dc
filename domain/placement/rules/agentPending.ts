import { NOT_NOW, type PlacementRule } from '../rule.ts';

/** An agent that joined takes nothing until it was heard, caught up, for the first time. */
export const agentPending: PlacementRule = {
  code: 'AGENT_PENDING',
  check: (agent) => (agent.connectivity === 'never' || agent.hardware === null ? NOT_NOW : null),
  sentence: () => 'it has not checked in since it was approved',
  fix: () => 'start its agent and let it check in',
};
