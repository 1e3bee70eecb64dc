import { z } from 'zod';
import type { Route } from '../edge.ts';
import { ACCESS_BODY_LIMIT, SIGN_IN_LIMIT } from '../rateLimits.ts';
import { linkToken, passwordText } from '../schemas/access.ts';
import { beginSession } from '../sessionCookie.ts';
import { problems } from './problems.ts';

export const setPassword: Route = (api, { access, log }) => {
  const schema = {
    summary:
      'Sets a password with the token of a link that an admin made, once. Ends all sessions and begins a new one',
    tags: ['access'],
    body: z.strictObject({ token: linkToken, password: passwordText }),
    response: { 204: z.undefined(), ...problems },
  };
  const config = { open: true, rateLimit: SIGN_IN_LIMIT };
  api.post('/set-password', { schema, config, bodyLimit: ACCESS_BODY_LIMIT }, async (request, reply) => {
    const { token, password } = request.body;
    const { personId } = await access.accounts.setByLink(token, password, request.ip);
    await access.sessions.endAll(personId);
    await beginSession(access, personId, request, reply);
    log.info({ person: personId }, 'a password was set by link');
    return reply.code(204).send();
  });
};
