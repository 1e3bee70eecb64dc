import { z } from 'zod';
import { agentsShown, zonePosition } from '../../core/queries.ts';
import type { Route } from '../edge.ts';
import { agentView } from '../schemas/views.ts';
import { problems } from './problems.ts';

export const listAgents: Route = (api, { core }) => {
  const schema = {
    summary: 'All agents, pending ones included',
    tags: ['agents'],
    response: { 200: z.object({ agents: z.array(agentView), position: z.string() }), ...problems },
  };
  const config = { role: 'viewer', bus: { kind: 'query', name: 'agents' } } as const;
  api.get('/agents', { schema, config }, () => ({
    agents: [...agentsShown(core)],
    position: zonePosition(core),
  }));
};
