import { z } from 'zod';
import type { Route } from '../edge.ts';
import { callerOfRoute } from '../guard.ts';
import { clearSession } from '../sessionCookie.ts';
import { problems } from './problems.ts';

export const signOut: Route = (api, { access }) => {
  const schema = {
    summary: 'Ends the session of this browser',
    tags: ['access'],
    response: { 204: z.undefined(), ...problems },
  };
  api.post('/sign-out', { schema, config: { role: 'viewer' } }, async (request, reply) => {
    const { actor, sessionId } = callerOfRoute(request);
    // The browser forgets it also when the session cannot be ended now.
    clearSession(request, reply);
    if (sessionId !== null) await access.sessions.end(actor.id, sessionId);
    return reply.code(204).send();
  });
};
