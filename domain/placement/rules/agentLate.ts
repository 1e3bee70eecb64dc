import { NOT_NOW, type PlacementRule } from '../rule.ts';

/** Three intervals of silence: not a candidate until it is heard again. */
export const agentLate: PlacementRule = {
  code: 'AGENT_LATE',
  check: (agent) => (agent.connectivity === 'late' ? NOT_NOW : null),
  sentence: () => 'its check-ins are late',
  fix: () => 'wait for its next check-in',
};
