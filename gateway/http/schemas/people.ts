import { z } from 'zod';
import { personId, role, shownName } from '../../../domain/people/events.ts';
import * as s from '../../../domain/schemas.ts';
import type { PersonView } from '../../../projections/views.ts';

export const personParams = z.object({ personId: s.id });

const reason = s.reasonText.optional().describe('why; recorded, so no personal data');

export const personPost = z.strictObject({ personId, name: shownName, role, reason });
export const personPatch = z.strictObject({ role, reason });

export interface PersonRow extends PersonView {
  readonly hasPassword: boolean;
  readonly linkUntil: string | null;
  readonly lockedUntil: string | null;
  readonly browserSessions: number;
  readonly seenAt: string | null;
}

export const personRow: z.ZodType<PersonRow> = z
  .object({
    personId: z.string(),
    name: z.string(),
    role,
    createdAt: s.time,
    hasPassword: z.boolean().describe('whether they can sign in'),
    linkUntil: s.time.nullable().describe('until when the link to set a password may be used; null: there is none'),
    lockedUntil: s.time
      .nullable()
      .describe('until when this gateway takes no password of theirs, after too many wrong ones; null: it takes one'),
    browserSessions: s.count,
    seenAt: s.time.nullable().describe('in a browser that is still signed in, to about ten minutes'),
  })
  .meta({ id: 'Person' });
