import { z } from 'zod';
import { imageNeeds } from './images/image.ts';
import { pruneMark } from './pruning/record.ts';
import * as s from './schemas.ts';

/** A document of before images looked at labels has none of them. */
const imageSent = imageNeeds.extend({
  includeLabels: imageNeeds.shape.includeLabels.default([]),
  excludeLabels: imageNeeds.shape.excludeLabels.default([]),
});

/**
 * The one sentence an agent hears: what should run on it, as a pure fold of its zone's log at `version`. A missing
 * document is not an empty one.
 */
export const desiredSession = z.object({
  sessionId: s.id,
  image: imageSent,
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
  /** A document of before there was one says `off`. */
  pruneMode: s.pruneMode.default('off'),
  /** Up to which the log has what the agent told of its prunes. */
  pruneMark: pruneMark.nullable().default(null),
  sessions: z.array(desiredSession),
});
export type DesiredDocument = z.infer<typeof desiredDocument>;
