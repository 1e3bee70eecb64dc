import { NEVER, type PlacementRule } from '../rule.ts';

/** The request names one agent, and this is another. */
export const pinnedElsewhere: PlacementRule = {
  code: 'AGENT_PINNED_ELSEWHERE',
  check: (agent, request) => (request.pinnedAgentId === null || request.pinnedAgentId === agent.agentId ? null : NEVER),
  sentence: ({ request }) => `the request asks for ${request.pinnedAgentId}`,
  fix: () => null,
};
