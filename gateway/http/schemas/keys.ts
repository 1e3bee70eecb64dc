import { z } from 'zod';
import type { AccessKey } from '../../../domain/keys/state.ts';
import { role, shownName } from '../../../domain/people/events.ts';
import * as s from '../../../domain/schemas.ts';
import { isoTime } from '../../../infra/clock.ts';
import { keyView } from '../../../projections/people.ts';
import type { AccessKeyView } from '../../../projections/views.ts';
import type { Edge } from '../edge.ts';

export const keyPost = z.strictObject({
  name: shownName,
  role,
  expiresAt: s.time.nullish().describe('null or left out: it ends only by being revoked'),
  reason: s.reasonText.optional().describe('why; recorded, so no personal data'),
});

export interface KeyRow extends AccessKeyView {
  readonly lastUsedAt: string | null;
}

export const keyRow: z.ZodType<KeyRow> = z
  .object({
    keyId: z.string(),
    name: z.string(),
    role,
    expiresAt: s.time.nullable(),
    fingerprint: z.string().describe('the first 16 hex digits of the SHA-256 of its secret'),
    issuedAt: s.time,
    expired: z.boolean(),
    lastUsedAt: s.time.nullable().describe('to the minute, on this gateway since it started'),
  })
  .meta({ id: 'AccessKey' });

export function rowOfKey({ access, clock }: Edge, key: AccessKey): KeyRow {
  const lastUsed = access.keys.lastUsedAt(key.keyId);
  return { ...keyView(key, clock.now()), lastUsedAt: lastUsed === null ? null : isoTime(lastUsed) };
}
