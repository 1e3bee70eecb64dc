import { z } from 'zod';
import { LOCAL_ADMIN } from '../../../domain/people/account.ts';
import type { Route } from '../edge.ts';
import { ACCESS_BODY_LIMIT, SIGN_IN_LIMIT } from '../rateLimits.ts';
import { beginSession } from '../sessionCookie.ts';
import { accountText, linkToken, passwordText } from '../schemas/access.ts';
import { problems } from './problems.ts';

const LINK_INVALID =
  'this sign-in link was used before or is older than 15 minutes; `npx muster sign-in` prints a new one';

export const signIn: Route = (api, { access, log }) => {
  const schema = {
    summary:
      'Signs a browser in: by account and password, or once by the token of a sign-in link. The answer is a cookie',
    tags: ['access'],
    body: z.union(
      [z.strictObject({ token: linkToken }), z.strictObject({ account: accountText, password: passwordText })],
      {
        error: 'either account and password, or the token of a link',
      },
    ),
    response: { 204: z.undefined(), ...problems },
  };
  const config = { open: true, rateLimit: SIGN_IN_LIMIT };
  api.post('/sign-in', { schema, config, bodyLimit: ACCESS_BODY_LIMIT }, async (request, reply) => {
    const { body, ip } = request;
    if ('token' in body) {
      if (!access.tokens.redeem(body.token)) throw access.accounts.wrongToken(ip, LINK_INVALID);
      await beginSession(access, LOCAL_ADMIN, request, reply);
    } else {
      const { personId } = await access.accounts.check({ ...body, address: ip });
      await beginSession(access, personId, request, reply);
      log.info({ person: personId }, 'signed in by password');
    }
    return reply.code(204).send();
  });
};
