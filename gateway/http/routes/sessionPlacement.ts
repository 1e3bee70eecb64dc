import type { Route } from '../edge.ts';
import { sessionShown } from '../../core/queries.ts';
import { sessionParams } from '../schemas/requests.ts';
import { explanation } from '../schemas/views.ts';
import { problems } from './problems.ts';

export const sessionPlacement: Route = (api, { core, logReader }) => {
  const schema = {
    summary: 'Why the session went where it went, with every reason of every agent, computed again from the log',
    tags: ['sessions'],
    params: sessionParams,
    response: { 200: explanation, ...problems },
  };
  const config = { role: 'viewer', bus: { kind: 'query', name: 'placement' } } as const;
  api.get('/sessions/:sessionId/placement', { schema, config }, (request) => {
    const { sessionId } = request.params;
    return logReader.explain(sessionShown(core, sessionId)?.zone ?? 'default', sessionId);
  });
};
