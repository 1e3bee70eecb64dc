import { z } from 'zod';
import { personOf } from '../../auth/caller.ts';
import type { Route } from '../edge.ts';
import { callerOfRoute } from '../guard.ts';
import { HttpProblem } from '../problem.ts';
import { ACCESS_BODY_LIMIT, ACCESS_LIMIT } from '../rateLimits.ts';
import { passwordText } from '../schemas/access.ts';
import { personOr404 } from './people.ts';
import { problems } from './problems.ts';

export const putPassword: Route = (api, edge) => {
  const schema = {
    summary: 'Changes the password of who is asking; their other sessions end',
    tags: ['access'],
    body: z.strictObject({ current: passwordText, password: passwordText }),
    response: { 204: z.undefined(), ...problems },
  };
  const config = { role: 'viewer', rateLimit: ACCESS_LIMIT } as const;
  api.put('/me/password', { schema, config, bodyLimit: ACCESS_BODY_LIMIT }, async (request, reply) => {
    const caller = callerOfRoute(request);
    const personId = personOf(caller);
    if (personId === null) throw new HttpProblem(409, 'NO_PASSWORD', 'who is asking is no person and has no password');
    const { current, password } = request.body;
    const { accounts, sessions } = edge.access;
    await accounts.change(personOr404(edge, personId), { current, next: password, address: request.ip });
    await sessions.endAll(personId, caller.sessionId);
    edge.log.info({ person: personId }, 'a password was changed');
    return reply.code(204).send();
  });
};
