import { z } from 'zod';
import type { Edge, Route } from '../edge.ts';
import { callerOfRoute } from '../guard.ts';
import { HttpProblem } from '../problem.ts';
import { problems } from './problems.ts';

export const signInLinks: Route = (api, edge) => {
  const schema = {
    summary: 'Makes a sign-in link: 15 minutes, used once. Needs a key',
    tags: ['access'],
    response: { 201: z.object({ url: z.string(), expiresAt: z.string() }), ...problems },
  };
  api.post('/sign-in-links', { schema }, (request, reply) => {
    if (callerOfRoute(request).by !== 'key') {
      throw new HttpProblem(403, 'KEY_NEEDED', 'a sign-in link is made with a key, not from a signed-in page');
    }
    reply.code(201);
    return newSignInLink(edge);
  });
};

/** The token stands in the fragment, which browsers keep to themselves. */
export function newSignInLink({ access, authority }: Pick<Edge, 'access' | 'authority'>): {
  url: string;
  expiresAt: string;
} {
  const { token, expiresAt } = access.tokens.make();
  return { url: `http://${authority}/#sign-in=${token}`, expiresAt };
}
