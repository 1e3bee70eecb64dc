import { z } from 'zod';
import * as s from '../schemas.ts';
import { imageDefinition } from './image.ts';

export const imageEvents = {
  ImageDefined: z.object({ image: imageDefinition }),
  ImageRevised: z.object({ image: imageDefinition, previous: imageDefinition }),
  ImageRetired: z.object({ imageId: s.id, revision: z.int().min(1) }),
};
