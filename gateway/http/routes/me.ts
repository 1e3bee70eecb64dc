import { z } from 'zod';
import { actor } from '../../../domain/events.ts';
import type { Route } from '../edge.ts';
import { callerOfRoute } from '../guard.ts';
import { problems } from './problems.ts';

export const me: Route = (api, { core, simulated, version }) => {
  const schema = {
    summary: 'Who is asking, and what this gateway is',
    tags: ['access'],
    response: {
      200: z.object({
        actor,
        role: z.literal('admin'),
        simulated: z.boolean(),
        version: z.string(),
        zones: z.array(z.string()),
      }),
      ...problems,
    },
  };
  api.get('/me', { schema }, (request) => ({
    actor: callerOfRoute(request).actor,
    role: 'admin' as const,
    simulated,
    version,
    zones: [...core.zones.keys()],
  }));
};
