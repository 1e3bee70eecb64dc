import { z } from 'zod';
import * as s from '../schemas.ts';

const about = { agentId: s.id };
/** Codes of one summary of rejections; the rarest of more than these are counted together as OTHER. */
export const REJECTION_CODES_LIMIT = 12;
const rejectionCode = z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/);

/** Who may join, and which zones there are. */
export const enrolmentEvents = {
  ZoneCreated: z.object({ zone: s.id }),
  /** `fingerprint` is that of the agent's own secret; null: it has none, or it was not told (version 1). */
  AgentEnrolled: z.object({
    ...about,
    hostname: s.shortText,
    simulated: z.boolean(),
    fingerprint: s.fingerprint.nullable(),
  }),
  AgentApproved: z.object({ ...about, zone: s.id }),
  /** It speaks no more, for ever. What it holds in its zone stays held until it is declared lost. */
  AgentRevoked: z.object(about),
  /** It is on no list any more; should it be admitted again, it begins as a pending one. */
  AgentRemoved: z.object(about),
  /** How often the bus turned somebody away within a time, by the code that says why. */
  ConnectionsRejected: z.object({
    since: s.time,
    until: s.time,
    counts: z
      .record(rejectionCode, s.count)
      .refine((counts) => Object.keys(counts).length <= REJECTION_CODES_LIMIT, 'too many codes'),
  }),
};
