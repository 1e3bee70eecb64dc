import { z } from 'zod';
import { askedBy, submit } from '../commands.ts';
import type { Route } from '../edge.ts';
import { forgetNow } from '../forget.ts';
import { ACCESS_BODY_LIMIT, ACCESS_LIMIT } from '../rateLimits.ts';
import { reasonBody } from '../schemas/requests.ts';
import { personParams } from '../schemas/people.ts';
import { problems } from './problems.ts';

export const deletePerson: Route = (api, edge) => {
  const schema = {
    summary: 'Removes an account: its person is signed out everywhere, at once',
    tags: ['people'],
    params: personParams,
    body: reasonBody,
    response: { 204: z.undefined(), ...problems },
  };
  const config = { role: 'admin', rateLimit: ACCESS_LIMIT } as const;
  api.delete('/people/:personId', { schema, config, bodyLimit: ACCESS_BODY_LIMIT }, async (request, reply) => {
    const { personId } = request.params;
    const command = { type: 'RemovePerson', personId } as const;
    await submit(edge, edge.core.fleet, { asked: askedBy(request), command, reason: request.body?.reason }, reply);
    void forgetNow(edge, `what was kept for ${personId}`, () => edge.access.sweep());
    return reply.code(204).send();
  });
};
