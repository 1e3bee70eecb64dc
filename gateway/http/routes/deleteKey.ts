import { z } from 'zod';
import * as s from '../../../domain/schemas.ts';
import { askedBy, submit } from '../commands.ts';
import type { Route } from '../edge.ts';
import { forgetNow } from '../forget.ts';
import { ACCESS_BODY_LIMIT, ACCESS_LIMIT } from '../rateLimits.ts';
import { neededReason } from '../schemas/requests.ts';
import { problems } from './problems.ts';

export const deleteKey: Route = (api, edge) => {
  const schema = {
    summary: 'Revokes an access key, at once and for ever',
    tags: ['keys'],
    params: z.object({ keyId: s.id }),
    body: neededReason,
    response: { 204: z.undefined(), ...problems },
  };
  const config = { role: 'admin', rateLimit: ACCESS_LIMIT } as const;
  api.delete('/keys/:keyId', { schema, config, bodyLimit: ACCESS_BODY_LIMIT }, async (request, reply) => {
    const { keyId } = request.params;
    const command = { type: 'RevokeAccessKey', keyId } as const;
    await submit(edge, edge.core.fleet, { asked: askedBy(request), command, reason: request.body.reason }, reply);
    await forgetNow(edge, `the secret of the key ${keyId}`, () => edge.access.keys.forget(keyId));
    return reply.code(204).send();
  });
};
