import { NOT_NOW, type PlacementRule } from '../rule.ts';

/** A disabled agent takes nothing new; what runs on it is untouched. */
export const agentDisabled: PlacementRule = {
  code: 'AGENT_DISABLED',
  check: (agent) => (agent.enabled ? null : NOT_NOW),
  sentence: () => 'it is disabled',
  fix: () => 'enable it',
};
