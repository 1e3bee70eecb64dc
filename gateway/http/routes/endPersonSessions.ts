import { z } from 'zod';
import { LOCAL_ADMIN } from '../../../domain/people/account.ts';
import type { Edge, Route } from '../edge.ts';
import { ACCESS_LIMIT } from '../rateLimits.ts';
import { personParams } from '../schemas/people.ts';
import { personOr404 } from './people.ts';
import { problems } from './problems.ts';

export const endPersonSessions: Route = (api, edge) => {
  const schema = {
    summary: `Signs a person out of every browser; "${LOCAL_ADMIN}" is who signed in with the machine's own links`,
    tags: ['people'],
    params: personParams,
    response: { 200: z.object({ ended: z.int() }), ...problems },
  };
  const config = { role: 'admin', rateLimit: ACCESS_LIMIT } as const;
  api.delete('/people/:personId/browser-sessions', { schema, config }, (request) =>
    endAll(edge, request.params.personId),
  );
};

async function endAll(edge: Edge, personId: string): Promise<{ ended: number }> {
  if (personId !== LOCAL_ADMIN) personOr404(edge, personId);
  return { ended: await edge.access.sessions.endAll(personId) };
}
