import { z } from 'zod';
import { askedBy, submitMade } from '../commands.ts';
import type { Edge, Route } from '../edge.ts';
import { forgetNow } from '../forget.ts';
import { notFound } from '../problem.ts';
import { ACCESS_BODY_LIMIT, ACCESS_LIMIT } from '../rateLimits.ts';
import { managerTokenRow, rowOfToken } from '../schemas/managerTokens.ts';
import { reasonBody } from '../schemas/requests.ts';
import { problems } from './problems.ts';

const issued = z.object({
  managerToken: managerTokenRow,
  text: z.string().nullable().describe('what an agent joins with; given once, null when repeated'),
});

export const postManagerToken: Route = (api, edge) => {
  const schema = {
    summary: 'Issues a manager token, with which agents are admitted to the bus. It is in this answer and in no other',
    tags: ['manager tokens'],
    body: reasonBody,
    response: { 201: issued, ...problems },
  };
  const config = { role: 'admin', rateLimit: ACCESS_LIMIT } as const;
  api.post('/manager-tokens', { schema, config, bodyLimit: ACCESS_BODY_LIMIT }, async (request, reply) => {
    const asked = askedBy(request);
    const { managerTokens } = edge.access;
    const { tokenId, text, fingerprint } = await managerTokens.make();
    const make = () => ({ type: 'IssueManagerToken', tokenId, fingerprint }) as const;
    let isIssued = false;
    try {
      const order = { asked, reason: request.body?.reason, type: 'IssueManagerToken', body: {}, make } as const;
      const { outcome } = await submitMade(edge, edge.core.fleet, order, reply);
      isIssued = outcome['tokenId'] === tokenId;
      reply.code(201);
      const token = tokenOr404(edge, String(outcome['tokenId']));
      return { managerToken: rowOfToken(edge, token), text: isIssued ? text : null };
    } finally {
      if (!isIssued) await forgetNow(edge, `the manager token ${tokenId}`, () => managerTokens.forget(tokenId));
    }
  });
};

function tokenOr404({ core }: Edge, tokenId: string) {
  const token = core.fleetProjection.state.managerTokens.get(tokenId);
  if (token === undefined) throw notFound('MANAGER_TOKEN_UNKNOWN', `there is no manager token "${tokenId}"`);
  return token;
}
