import { z } from 'zod';
import * as s from '../schemas.ts';

/** What admits agents to the bus. The token is nowhere in here; `fingerprint` tells two tokens apart and opens nothing. */
export const managerTokenEvents = {
  ManagerTokenIssued: z.object({ tokenId: s.id, fingerprint: s.fingerprint }),
  ManagerTokenRevoked: z.object({ tokenId: s.id }),
};
