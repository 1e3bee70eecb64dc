import { z } from 'zod';
import * as s from '../../../domain/schemas.ts';
import { askedBy, submit } from '../commands.ts';
import type { Route } from '../edge.ts';
import { forgetNow } from '../forget.ts';
import { ACCESS_BODY_LIMIT, ACCESS_LIMIT } from '../rateLimits.ts';
import { neededReason } from '../schemas/requests.ts';
import { problems } from './problems.ts';

export const deleteManagerToken: Route = (api, edge) => {
  const schema = {
    summary: 'Revokes a manager token, at once and for ever; the last one only with `force`',
    tags: ['manager tokens'],
    params: z.object({ tokenId: s.id }),
    querystring: z.strictObject({
      force: z
        .enum(['true', 'false'])
        .default('false')
        .describe('revokes also the last one: then no agent is admitted'),
    }),
    body: neededReason,
    response: { 204: z.undefined(), ...problems },
  };
  const config = { role: 'admin', rateLimit: ACCESS_LIMIT } as const;
  api.delete('/manager-tokens/:tokenId', { schema, config, bodyLimit: ACCESS_BODY_LIMIT }, async (request, reply) => {
    const { tokenId } = request.params;
    const command = { type: 'RevokeManagerToken', tokenId, force: request.query.force === 'true' } as const;
    await submit(edge, edge.core.fleet, { asked: askedBy(request), command, reason: request.body.reason }, reply);
    const { managerTokens } = edge.access;
    await forgetNow(edge, `the manager token ${tokenId}`, () => managerTokens.forget(tokenId));
    return reply.code(204).send();
  });
};
