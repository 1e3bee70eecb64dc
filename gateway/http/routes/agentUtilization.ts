import { z } from 'zod';
import { STEP_SECONDS, utilizationOf } from '../../../projections/utilization.ts';
import type { Route } from '../edge.ts';
import { agentParams } from '../schemas/requests.ts';
import { utilizationView } from '../schemas/views.ts';
import { agentOr404 } from './find.ts';
import { problems } from './problems.ts';

const HOUR_MS = 3_600_000;

export const agentUtilization: Route = (api, { core, clock }) => {
  const schema = {
    summary: 'What was measured on an agent, one point a minute; a missing minute is a gap',
    tags: ['agents'],
    params: agentParams,
    querystring: z.strictObject({ hours: z.coerce.number().int().min(1).max(24).default(24) }),
    response: { 200: utilizationView, ...problems },
  };
  api.get('/agents/:agentId/utilization', { schema }, (request) => {
    const { agentId } = agentOr404(core, request.params.agentId);
    const until = clock.now();
    const since = until - request.query.hours * HOUR_MS;
    return { agentId, stepSeconds: STEP_SECONDS, points: utilizationOf(core.history, agentId, since, until) };
  });
};
