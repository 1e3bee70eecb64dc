import { z } from 'zod';
import { askedBy, submit } from '../commands.ts';
import type { Route } from '../edge.ts';
import { ifMatch } from '../etag.ts';
import { imageParams, reasonBody } from '../schemas/requests.ts';
import { problems } from './problems.ts';

export const deleteImage: Route = (api, edge) => {
  const schema = {
    summary: 'Retires an image: nothing new is started from it, running sessions go on',
    tags: ['images'],
    params: imageParams,
    body: reasonBody,
    response: { 204: z.undefined(), ...problems },
  };
  const config = { role: 'admin', bus: { kind: 'command', name: 'RetireImage', target: 'fleet' } } as const;
  api.delete('/images/:imageId', { schema, config }, async (request, reply) => {
    const { imageId } = request.params;
    const command = { type: 'RetireImage', imageId, ifRevision: ifMatch(request) } as const;
    await submit(edge, edge.core.fleet, { asked: askedBy(request), command, reason: request.body?.reason }, reply);
    return reply.code(204).send();
  });
};
