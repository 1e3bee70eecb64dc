import type { Route } from '../edge.ts';
import { setEtag } from '../etag.ts';
import { agentParams } from '../schemas/requests.ts';
import { agentView } from '../schemas/views.ts';
import { agentOr404 } from './find.ts';
import { problems } from './problems.ts';

export const getAgent: Route = (api, { core }) => {
  const schema = {
    summary: 'One agent; the ETag is its settings version',
    tags: ['agents'],
    params: agentParams,
    response: { 200: agentView, ...problems },
  };
  const config = { role: 'viewer', bus: { kind: 'query', name: 'agent' } } as const;
  api.get('/agents/:agentId', { schema, config }, (request, reply) => {
    const agent = agentOr404(core, request.params.agentId);
    setEtag(reply, agent.settingsVersion);
    return agent;
  });
};
