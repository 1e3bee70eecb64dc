import { z } from 'zod';
import { erase, nameOf } from '../../auth/stored.ts';
import { askedBy, submitMade } from '../commands.ts';
import type { Route } from '../edge.ts';
import { forgetNow } from '../forget.ts';
import { agentParams, reasonBody } from '../schemas/requests.ts';
import { zoneOr404 } from './find.ts';
import { problems } from './problems.ts';

export const deleteAgent: Route = (api, edge) => {
  const schema = {
    summary: 'Takes an agent off the list that waits for approval, or that was revoked and holds no session any more',
    tags: ['agents'],
    params: agentParams,
    body: reasonBody,
    response: { 204: z.undefined(), ...problems },
  };
  api.delete('/agents/:agentId', { schema, config: { role: 'admin' } }, async (request, reply) => {
    const { agentId } = request.params;
    const { core, secrets, clock } = edge;
    const order = { asked: askedBy(request), reason: request.body?.reason };
    const { revokedAt = null, zone = null, approval = null } = core.fleetProjection.state.agents.get(agentId) ?? {};
    // Its zone is the first to let it go. One that was not revoked is refused below, with nothing done.
    const left = revokedAt === null || zone === null ? null : approval;
    const body = { agentId };
    if (zone !== null && left !== null) {
      const leave = () => ({ type: 'LeaveAgent', agentId, approval: left }) as const;
      const { replica } = zoneOr404(core, zone);
      await submitMade(edge, replica, { ...order, type: 'LeaveAgent', body, make: leave }, reply);
    }
    const remove = () => ({ type: 'RemoveAgent', agentId, left }) as const;
    await submitMade(edge, core.fleet, { ...order, type: 'RemoveAgent', body, make: remove }, reply);
    // A repeated request may come when somebody has that id anew, with a secret of its own.
    if (!core.fleetProjection.state.agents.has(agentId)) {
      await forgetNow(edge, `the secret of the agent ${agentId}`, () => erase(secrets, clock, nameOf.agent(agentId)));
    }
    return reply.code(204).send();
  });
};
