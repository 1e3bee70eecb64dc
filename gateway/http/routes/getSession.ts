import type { Route } from '../edge.ts';
import { sessionParams } from '../schemas/requests.ts';
import { sessionView } from '../schemas/views.ts';
import { sessionOr404 } from './find.ts';
import { problems } from './problems.ts';

export const getSession: Route = (api, { core }) => {
  const schema = {
    summary: 'One session',
    tags: ['sessions'],
    params: sessionParams,
    response: { 200: sessionView, ...problems },
  };
  const config = { role: 'viewer', bus: { kind: 'query', name: 'session' } } as const;
  api.get('/sessions/:sessionId', { schema, config }, (request) => sessionOr404(core, request.params.sessionId));
};
