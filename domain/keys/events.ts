import { z } from 'zod';
import { role, shownName } from '../people/events.ts';
import * as s from '../schemas.ts';

/** Access keys of programs. The secret is nowhere in here; `fingerprint` tells two keys apart and opens nothing. */
export const keyEvents = {
  AccessKeyIssued: z.object({
    keyId: s.id,
    name: shownName,
    role,
    expiresAt: s.time.nullable(),
    fingerprint: s.fingerprint,
  }),
  AccessKeyRevoked: z.object({ keyId: s.id }),
};
