import { z } from 'zod';
import { isLocalAdmin } from '../../auth/caller.ts';
import type { Route } from '../edge.ts';
import { callerOfRoute } from '../guard.ts';
import { newSignInLink } from '../links.ts';
import { HttpProblem } from '../problem.ts';
import { ACCESS_LIMIT } from '../rateLimits.ts';
import { problems } from './problems.ts';

export const signInLinks: Route = (api, edge) => {
  const schema = {
    summary: "Makes a sign-in link of the machine's administrator: 15 minutes, used once. Needs the machine's own key",
    tags: ['access'],
    response: { 201: z.object({ url: z.string(), expiresAt: z.string() }), ...problems },
  };
  const config = { role: 'admin', rateLimit: ACCESS_LIMIT } as const;
  api.post('/sign-in-links', { schema, config }, (request, reply) => {
    const caller = callerOfRoute(request);
    if (caller.by !== 'key' || !isLocalAdmin(caller)) {
      const detail =
        "such a link is made with the key of the gateway's machine (admin.key), not by whoever is signed in";
      throw new HttpProblem(403, 'KEY_NEEDED', detail);
    }
    reply.code(201);
    return newSignInLink(edge);
  });
};
