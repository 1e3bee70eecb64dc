import { askedBy, submit } from '../commands.ts';
import type { Route } from '../edge.ts';
import { setEtag } from '../etag.ts';
import { agentParams, reasonBody } from '../schemas/requests.ts';
import { agentView } from '../schemas/views.ts';
import { agentOr404, requireNotRevoked, zoneOfAgent } from './find.ts';
import { problems } from './problems.ts';

export const enableAgent: Route = (api, edge) => {
  for (const verb of ['enable', 'disable'] as const) {
    const schema = {
      summary: verb === 'enable' ? 'Lets new sessions be placed on it' : 'Nothing new is placed on it; sessions stay',
      tags: ['agents'],
      params: agentParams,
      body: reasonBody,
      response: { 200: agentView, ...problems },
    };
    api.post(`/agents/:agentId/${verb}`, { schema, config: { role: 'operator' } }, async (request, reply) => {
      const { agentId } = request.params;
      const { replica } = zoneOfAgent(edge.core, agentId);
      const enabled = verb === 'enable';
      if (enabled) requireNotRevoked(edge.core, agentId);
      const command = { type: 'SetAgentSettings', agentId, enabled, confirm: false, ifVersion: null } as const;
      await submit(edge, replica, { asked: askedBy(request), command, reason: request.body?.reason }, reply);
      const agent = agentOr404(edge.core, agentId);
      setEtag(reply, agent.settingsVersion);
      return agent;
    });
  }
};
