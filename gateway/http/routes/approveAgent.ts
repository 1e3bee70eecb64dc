import { askedBy, submit } from '../commands.ts';
import type { Route } from '../edge.ts';
import { setEtag } from '../etag.ts';
import { agentParams, approvalBody } from '../schemas/requests.ts';
import { agentView } from '../schemas/views.ts';
import { agentOr404, zoneOr404 } from './find.ts';
import { problems } from './problems.ts';

export const approveAgent: Route = (api, edge) => {
  const schema = {
    summary: 'Lets a pending agent join the default zone',
    tags: ['agents'],
    params: agentParams,
    body: approvalBody,
    response: { 200: agentView, ...problems },
  };
  const config = { role: 'admin', bus: { kind: 'command', name: 'ApproveAgent', target: 'fleet' } } as const;
  api.post('/agents/:agentId/approve', { schema, config }, async (request, reply) => {
    const { agentId } = request.params;
    const { fingerprint = null, reason } = request.body ?? {};
    const { hostname, simulated } = agentOr404(edge.core, agentId);
    const command = { type: 'ApproveAgent', agentId, zone: 'default', fingerprint } as const;
    await submit(edge, edge.core.fleet, { asked: askedBy(request), command, reason }, reply);
    const { replica } = zoneOr404(edge.core, 'default');
    const approval = edge.core.fleetProjection.state.agents.get(agentId)?.approval ?? null;
    // The core joins it by itself; doing the same here once more, which changes nothing, is how to wait for it.
    if (approval !== null) {
      const join = { type: 'JoinAgent', agentId, hostname, simulated, approval } as const;
      const actor = { kind: 'system', id: 'muster' } as const;
      await replica.submit({ key: `join:${agentId}`, recorded: false, actor, command: join });
    }
    const agent = agentOr404(edge.core, agentId);
    setEtag(reply, agent.settingsVersion);
    return agent;
  });
};
