import { z } from 'zod';
import * as s from '../schemas.ts';

/** Who may join, and which zones there are. */
export const enrolmentEvents = {
  ZoneCreated: z.object({ zone: s.id }),
  AgentEnrolled: z.object({ agentId: s.id, hostname: s.shortText, simulated: z.boolean() }),
  AgentApproved: z.object({ agentId: s.id, zone: s.id }),
};
