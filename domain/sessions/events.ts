import { z } from 'zod';
import { imageNeeds } from '../images/image.ts';
import * as s from '../schemas.ts';

const about = { sessionId: s.id };
const onAgent = { sessionId: s.id, agentId: s.id };

/**
 * Why no agent took a session, small enough to keep for ever: how many agents gave each code, and the nearest changes
 * that would make it fit. The whole explanation is computed again from the log when somebody asks.
 */
export const refusalSummary = z.object({
  agents: s.count,
  codes: z.record(z.string(), s.count),
  nearest: z.array(z.object({ agentId: s.id, sentence: s.shortText })).max(3),
});
export type RefusalSummary = z.infer<typeof refusalSummary>;

export const sessionEvents = {
  SessionRequested: z.object({
    ...about,
    image: imageNeeds,
    priority: z.int().min(-1000).max(1000),
    whenFull: z.enum(['queue', 'fail']),
    maxWaitSeconds: s.count.nullable(),
    agentId: s.id.nullable(),
  }),
  SessionWaiting: z.object({ ...about, refusal: refusalSummary }),
  SessionPlaced: z.object({ ...onAgent, claim: s.claim }),
  SessionRefused: z.object({ ...about, refusal: refusalSummary }),
  SessionCancelled: z.object({ ...about, cause: s.endCause }),
  SessionStarting: z.object(onAgent),
  /** `imageDigest`: of the image that the container was made from, as its agent's engine knows it; null: not told. */
  SessionStarted: z.object({
    ...onAgent,
    containerId: z.string().max(128),
    imageDigest: s.imageDigest.nullable(),
    endpoints: z.array(s.endpoint).max(64),
  }),
  SessionStartFailed: z.object({ ...onAgent, code: z.string().max(64), detail: s.shortText }),
  SessionStopRequested: z.object({ ...onAgent, cause: s.endCause, exitCode: z.int().nullable() }),
  SessionEnded: z.object({ ...onAgent, cause: s.endCause, exitCode: z.int().nullable() }),
};
