import { askedBy, submit } from '../commands.ts';
import type { Route } from '../edge.ts';
import { ACCESS_BODY_LIMIT, ACCESS_LIMIT } from '../rateLimits.ts';
import { personPost, personRow } from '../schemas/people.ts';
import { personOr404, rowOfPerson } from './people.ts';
import { problems } from './problems.ts';

export const postPerson: Route = (api, edge) => {
  const schema = {
    summary: 'Makes an account. Its person sets a password by a link of its own',
    tags: ['people'],
    body: personPost,
    response: { 201: personRow, ...problems },
  };
  const config = { role: 'admin', rateLimit: ACCESS_LIMIT } as const;
  api.post('/people', { schema, config, bodyLimit: ACCESS_BODY_LIMIT }, async (request, reply) => {
    const { personId, name, role, reason } = request.body;
    const command = { type: 'CreatePerson', personId, name, role } as const;
    await submit(edge, edge.core.fleet, { asked: askedBy(request), command, reason }, reply);
    reply.code(201);
    return rowOfPerson(edge, personOr404(edge, personId));
  });
};
