import type { Route } from '../edge.ts';
import { setEtag } from '../etag.ts';
import { imageParams } from '../schemas/requests.ts';
import { imageView } from '../schemas/views.ts';
import { imageOr404 } from './find.ts';
import { problems } from './problems.ts';

export const getImage: Route = (api, { core }) => {
  const schema = {
    summary: 'One image definition; the ETag is its revision',
    tags: ['images'],
    params: imageParams,
    response: { 200: imageView, ...problems },
  };
  const config = { role: 'viewer', bus: { kind: 'query', name: 'image' } } as const;
  api.get('/images/:imageId', { schema, config }, (request, reply) => {
    const image = imageOr404(core, request.params.imageId);
    setEtag(reply, image.revision);
    return image;
  });
};
