import { z } from 'zod';
import { COOKIE_HOURS, COOKIE_NAME } from '../../auth/cookie.ts';
import type { Route } from '../edge.ts';
import { HttpProblem } from '../problem.ts';
import { problems } from './problems.ts';

/** Guessing a token of 256 bits is hopeless anyway; this keeps the attempts from costing anything. */
const ATTEMPTS_PER_MINUTE = 10;

export const signIn: Route = (api, { access }) => {
  const schema = {
    summary: 'Exchanges the token of a sign-in link, once, for a cookie of 12 hours',
    tags: ['access'],
    body: z.strictObject({ token: z.string().min(1).max(256) }),
    response: { 204: z.undefined(), ...problems },
  };
  const config = { open: true, rateLimit: { max: ATTEMPTS_PER_MINUTE, timeWindow: 60_000 } };
  api.post('/sign-in', { schema, config }, async (request, reply) => {
    if (!access.tokens.redeem(request.body.token)) {
      const detail =
        'this sign-in link was used before or is older than 15 minutes; `npx muster sign-in` prints a new one';
      throw new HttpProblem(401, 'SIGN_IN_LINK_INVALID', detail);
    }
    return reply
      .setCookie(COOKIE_NAME, access.sealCookie(), { ...COOKIE, maxAge: COOKIE_HOURS * 3600 })
      .code(204)
      .send();
  });
};

export const COOKIE = { path: '/', httpOnly: true, sameSite: 'strict' } as const;
