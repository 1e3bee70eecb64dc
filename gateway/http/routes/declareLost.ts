import { askedBy, submit } from '../commands.ts';
import type { Route } from '../edge.ts';
import { setEtag } from '../etag.ts';
import { agentParams, neededReason } from '../schemas/requests.ts';
import { agentView } from '../schemas/views.ts';
import { agentOr404, zoneOfAgent } from './find.ts';
import { problems } from './problems.ts';

export const declareLost: Route = (api, edge) => {
  const schema = {
    summary: 'Gives up a missing agent: its sessions end with AGENT_LOST and their claims are released',
    tags: ['agents'],
    params: agentParams,
    body: neededReason,
    response: { 200: agentView, ...problems },
  };
  const config = { role: 'operator', bus: { kind: 'command', name: 'DeclareAgentLost', target: 'zone' } } as const;
  api.post('/agents/:agentId/declare-lost', { schema, config }, async (request, reply) => {
    const { agentId } = request.params;
    const { replica } = zoneOfAgent(edge.core, agentId);
    const command = { type: 'DeclareAgentLost', agentId } as const;
    await submit(edge, replica, { asked: askedBy(request), command, reason: request.body.reason }, reply);
    const agent = agentOr404(edge.core, agentId);
    setEtag(reply, agent.settingsVersion);
    return agent;
  });
};
