import { askedBy, submit } from '../commands.ts';
import type { Route } from '../edge.ts';
import { setEtag } from '../etag.ts';
import { agentParams, neededReason } from '../schemas/requests.ts';
import { agentView } from '../schemas/views.ts';
import { agentOr404 } from './find.ts';
import { problems } from './problems.ts';

export const revokeAgent: Route = (api, edge) => {
  const schema = {
    summary: 'Hears an agent no more, for ever: nothing new is placed on it, and what it holds stays held',
    tags: ['agents'],
    params: agentParams,
    body: neededReason,
    response: { 200: agentView, ...problems },
  };
  api.post('/agents/:agentId/revoke', { schema, config: { role: 'admin' } }, async (request, reply) => {
    const { agentId } = request.params;
    const command = { type: 'RevokeAgent', agentId } as const;
    await submit(edge, edge.core.fleet, { asked: askedBy(request), command, reason: request.body.reason }, reply);
    const agent = agentOr404(edge.core, agentId);
    setEtag(reply, agent.settingsVersion);
    return agent;
  });
};
