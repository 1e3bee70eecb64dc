import { z } from 'zod';
import { askedBy, submitMade } from '../commands.ts';
import type { Edge, Route } from '../edge.ts';
import { forgetNow } from '../forget.ts';
import { notFound } from '../problem.ts';
import { ACCESS_BODY_LIMIT, ACCESS_LIMIT } from '../rateLimits.ts';
import { keyPost, keyRow, rowOfKey } from '../schemas/keys.ts';
import { problems } from './problems.ts';

const issued = z.object({
  key: keyRow,
  secret: z.string().nullable().describe('what to show as `Authorization: Bearer …`; given once, null when repeated'),
});

export const postKey: Route = (api, edge) => {
  const schema = {
    summary: 'Issues an access key. Its secret is in this answer and nowhere else',
    tags: ['keys'],
    body: keyPost,
    response: { 201: issued, ...problems },
  };
  const config = { role: 'admin', rateLimit: ACCESS_LIMIT } as const;
  api.post('/keys', { schema, config, bodyLimit: ACCESS_BODY_LIMIT }, async (request, reply) => {
    const { name, role, expiresAt = null, reason } = request.body;
    const asked = askedBy(request);
    const { keyId, text, fingerprint } = await edge.access.keys.make();
    const make = () => ({ type: 'IssueAccessKey', keyId, name, role, expiresAt, fingerprint }) as const;
    const body = { name, role, expiresAt };
    let isIssued = false;
    try {
      const order = { asked, reason, type: 'IssueAccessKey', body, make } as const;
      const { outcome } = await submitMade(edge, edge.core.fleet, order, reply);
      isIssued = outcome['keyId'] === keyId;
      reply.code(201);
      return { key: rowOfKey(edge, keyOr404(edge, String(outcome['keyId']))), secret: isIssued ? text : null };
    } finally {
      if (!isIssued) await forgetNow(edge, `the secret of the key ${keyId}`, () => edge.access.keys.forget(keyId));
    }
  });
};

function keyOr404({ core }: Edge, keyId: string) {
  const key = core.fleetProjection.state.keys.get(keyId);
  if (key === undefined) throw notFound('KEY_UNKNOWN', `there is no key "${keyId}"`);
  return key;
}
