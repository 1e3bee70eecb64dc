import { z } from 'zod';
import type { Route } from '../edge.ts';
import { passwordLink } from '../links.ts';
import { ACCESS_LIMIT } from '../rateLimits.ts';
import { personParams } from '../schemas/people.ts';
import { personOr404 } from './people.ts';
import { problems } from './problems.ts';

export const personLink: Route = (api, edge) => {
  const schema = {
    summary: 'Makes a link with which a person sets a password: 24 hours, used once; one made before is void',
    tags: ['people'],
    params: personParams,
    response: { 201: z.object({ personId: z.string(), url: z.string(), expiresAt: z.string() }), ...problems },
  };
  const config = { role: 'admin', rateLimit: ACCESS_LIMIT } as const;
  api.post('/people/:personId/sign-in-link', { schema, config }, async (request, reply) => {
    const person = personOr404(edge, request.params.personId);
    const { token, expiresAt } = await edge.access.accounts.makeLink(person);
    edge.log.info({ person: person.personId, by: request.caller?.actor }, 'a link to set a password was made');
    reply.code(201);
    return { personId: person.personId, url: passwordLink(edge, token), expiresAt };
  });
};
