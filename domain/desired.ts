import { z } from 'zod';
import { imageNeeds } from './images/image.ts';
import * as s from './schemas.ts';

/**
 * The one sentence an agent hears: what should run on it, as a pure fold of its zone's log at `version`. A missing
 * document is not an empty one.
 */
export const desiredSession = z.object({
  sessionId: s.id,
  image: imageNeeds,
  gpuUuids: z.array(z.string().max(96)),
  /** False once the session was seen started: a container gone after that is never made again. */
  mayCreate: z.boolean(),
});
export type DesiredSession = z.infer<typeof desiredSession>;

export const desiredDocument = z.object({
  schemaVersion: z.literal(1),
  agentId: s.id,
  logId: s.id,
  version: s.version,
  sessions: z.array(desiredSession),
});
export type DesiredDocument = z.infer<typeof desiredDocument>;
