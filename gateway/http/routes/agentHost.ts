import { agentHostView } from '../../../projections/agentHostView.ts';
import type { Route } from '../edge.ts';
import { notFound } from '../problem.ts';
import { agentParams } from '../schemas/requests.ts';
import { agentHostView as hostSchema } from '../schemas/agentHistory.ts';
import { agentOr404 } from './find.ts';
import { problems } from './problems.ts';

export const agentHost: Route = (api, { core }) => {
  const schema = {
    summary: 'The host of an agent as its newest check-in tells: program, boot, engine, disk, images',
    tags: ['agents'],
    params: agentParams,
    response: { 200: hostSchema, ...problems },
  };
  const config = { role: 'viewer', bus: { kind: 'query', name: 'host' } } as const;
  api.get('/agents/:agentId/host', { schema, config }, (request) => {
    const { agentId, zone } = agentOr404(core, request.params.agentId);
    const heard = core.fleetProjection.heard.get(agentId);
    if (heard === undefined) {
      throw notFound('NOT_HEARD', `"${agentId}" has not checked in since this gateway started`);
    }
    return agentHostView(core.zones.get(zone)?.projection.state.agents.get(agentId) ?? null, heard);
  });
};
