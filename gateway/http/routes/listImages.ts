import { z } from 'zod';
import { fleetPosition, imagesShown } from '../../core/queries.ts';
import type { Route } from '../edge.ts';
import { imageView } from '../schemas/views.ts';
import { problems } from './problems.ts';

export const listImages: Route = (api, { core }) => {
  const schema = {
    summary: 'All image definitions',
    tags: ['images'],
    response: { 200: z.object({ images: z.array(imageView), position: z.string() }), ...problems },
  };
  const config = { role: 'viewer', bus: { kind: 'query', name: 'images' } } as const;
  api.get('/images', { schema, config }, () => ({
    images: [...imagesShown(core)],
    position: fleetPosition(core),
  }));
};
