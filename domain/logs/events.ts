import { z } from 'zod';

/** What every log may hold, a zone's and the fleet's. `epoch` is the one that ends with the commit that holds the event. */
export const logEvents = {
  LogSealed: z.object({ epoch: z.int().min(1) }),
};
