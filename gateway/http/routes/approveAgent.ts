import { askedBy, submit } from '../commands.ts';
import type { Route } from '../edge.ts';
import { setEtag } from '../etag.ts';
import { agentParams, reasonBody } from '../schemas/requests.ts';
import { agentView } from '../schemas/views.ts';
import { agentOr404, zoneOr404 } from './find.ts';
import { problems } from './problems.ts';

export const approveAgent: Route = (api, edge) => {
  const schema = {
    summary: 'Lets a pending agent join the default zone',
    tags: ['agents'],
    params: agentParams,
    body: reasonBody,
    response: { 200: agentView, ...problems },
  };
  api.post('/agents/:agentId/approve', { schema }, async (request, reply) => {
    const { agentId } = request.params;
    const { hostname, simulated } = agentOr404(edge.core, agentId);
    const command = { type: 'ApproveAgent', agentId, zone: 'default' } as const;
    await submit(edge, edge.core.fleet, { asked: askedBy(request), command, reason: request.body?.reason }, reply);
    // The core joins it by itself; doing the same here once more, which changes nothing, is how to wait for it.
    const join = { type: 'JoinAgent', agentId, hostname, simulated } as const;
    const actor = { kind: 'system', id: 'muster' } as const;
    const { replica } = zoneOr404(edge.core, 'default');
    await replica.submit({ key: `join:${agentId}`, recorded: false, actor, command: join });
    const agent = agentOr404(edge.core, agentId);
    setEtag(reply, agent.settingsVersion);
    return agent;
  });
};
