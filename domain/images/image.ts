import { z } from 'zod';
import * as s from '../schemas.ts';

/** A variable name that an environment may have. */
const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'not a name for an environment variable');

/**
 * What a session is started from, resolved at one revision of an image. A session request carries all of it, so that a
 * zone's log is complete in itself. The environment is the image's own and declared non-secret.
 */
export const imageNeeds = z.object({
  imageId: s.id,
  revision: z.int().min(1),
  reference: z.string().min(1).max(512),
  digest: z.string().max(128).nullable(),
  millicores: s.millicores.min(1),
  memoryBytes: s.bytes.min(1),
  cpuMode: s.cpuMode,
  gpu: s.gpuNeed,
  gpuModel: z.string().min(1).max(128).nullable(),
  gpuMemoryBytes: s.bytes.min(1).nullable(),
  /** An agent that takes it meets all of these … */
  includeLabels: s.labelSelectors,
  /** … and none of these. */
  excludeLabels: s.labelSelectors,
  ports: z.array(s.port).max(32),
  shmBytes: s.bytes.nullable(),
  environment: z.record(variableName, z.string().max(4096)),
  command: z.array(z.string().max(4096)).max(64).nullable(),
});
export type ImageNeeds = z.infer<typeof imageNeeds>;

/** An image definition: what operators edit. */
export const imageDefinition = imageNeeds.extend({ name: z.string().trim().min(1).max(120) });
export type ImageDefinition = z.infer<typeof imageDefinition>;
