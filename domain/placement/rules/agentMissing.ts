import { NOT_NOW, type PlacementRule } from '../rule.ts';

/** Six intervals of silence, and all the more once it is declared lost: it takes nothing until it has come back. */
export const agentMissing: PlacementRule = {
  code: 'AGENT_MISSING',
  check: ({ connectivity }) => (connectivity === 'missing' || connectivity === 'lost' ? NOT_NOW : null),
  sentence: ({ agent }) => (agent.connectivity === 'lost' ? 'it was declared lost' : 'it has stopped checking in'),
  fix: () => 'bring its agent or its network back',
};
