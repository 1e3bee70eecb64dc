import { NOT_NOW, type PlacementRule } from '../rule.ts';

/** Six intervals of silence: its sessions are unknown and it takes nothing. */
export const agentMissing: PlacementRule = {
  code: 'AGENT_MISSING',
  check: (agent) => (agent.connectivity === 'missing' ? NOT_NOW : null),
  sentence: () => 'it has stopped checking in',
  fix: () => 'bring its agent or its network back',
};
