import { countFits } from '../../../domain/placement/countFits.ts';
import { decidePlacement } from '../../../domain/sessions/decide.ts';
import type { Route } from '../edge.ts';
import { notFound } from '../problem.ts';
import { planPost } from '../schemas/requests.ts';
import { explanation } from '../schemas/views.ts';
import { needsOf, zoneOr404 } from './find.ts';
import { problems } from './problems.ts';

export const planPlacement: Route = (api, { core }) => {
  const schema = {
    summary: 'Where a session would go now, with the reasons of the first agents; nothing is recorded',
    tags: ['sessions'],
    body: planPost,
    response: { 200: explanation, ...problems },
  };
  const config = { role: 'operator', bus: { kind: 'query', name: 'plan' } } as const;
  api.post('/placement/plan', { schema, config }, (request) => {
    const { imageId, zone, agentId = null, counted } = request.body;
    const image = needsOf(core, imageId);
    const wish = { sessionId: 'plan', image, agentId, priority: 0, whenFull: 'queue', maxWaitSeconds: null } as const;
    const { state } = zoneOr404(core, zone).projection;
    if (agentId !== null && !state.agents.has(agentId)) {
      throw notFound('AGENT_UNKNOWN', `no agent "${agentId}" has joined zone ${zone}`);
    }
    const planned = decidePlacement(state, wish).explanation;
    if (!counted) return planned;
    return { ...planned, ...countFits(state.agents.values(), { needs: image, pinnedAgentId: agentId }) };
  });
};
