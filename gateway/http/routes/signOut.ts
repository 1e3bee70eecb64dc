import { z } from 'zod';
import { COOKIE_NAME } from '../../auth/cookie.ts';
import type { Route } from '../edge.ts';
import { problems } from './problems.ts';
import { COOKIE } from './signIn.ts';

export const signOut: Route = (api) => {
  const schema = {
    summary: 'Removes the cookie',
    tags: ['access'],
    response: { 204: z.undefined(), ...problems },
  };
  api.post('/sign-out', { schema }, async (_request, reply) => reply.clearCookie(COOKIE_NAME, COOKIE).code(204).send());
};
