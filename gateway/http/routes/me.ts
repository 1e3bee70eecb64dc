import { z } from 'zod';
import { role } from '../../../domain/people/events.ts';
import { actor } from '../../../domain/schemas.ts';
import { isLocalAdmin } from '../../auth/caller.ts';
import type { Route } from '../edge.ts';
import { callerOfRoute } from '../guard.ts';
import { problems } from './problems.ts';

export const me: Route = (api, { access, core, simulated, version }) => {
  const schema = {
    summary: 'Who is asking, and what this gateway is',
    tags: ['access'],
    response: {
      200: z.object({
        actor,
        name: z.string().describe('of the person or the key'),
        role,
        hasPassword: z.boolean().describe('a person who can sign in by password'),
        by: z.enum(['key', 'cookie', 'bus']),
        firstAccountNeeded: z.boolean().describe('nobody can sign in by password yet who may let others in'),
        simulated: z.boolean(),
        version: z.string(),
        zones: z.array(z.string()),
      }),
      ...problems,
    },
  };
  api.get('/me', { schema, config: { role: 'viewer' } }, (request) => {
    const caller = callerOfRoute(request);
    const { people, keys } = core.fleetProjection.state;
    const { kind, id } = caller.actor;
    const person = kind === 'operator' ? people.get(id) : undefined;
    const found = kind === 'automation' ? keys.get(id) : person;
    return {
      actor: caller.actor,
      name: found?.name ?? id,
      role: caller.role,
      hasPassword: person !== undefined && access.accounts.hasPassword(person),
      by: caller.by,
      firstAccountNeeded: isLocalAdmin(caller) && !access.accounts.isAnyAdminReady,
      simulated,
      version,
      zones: [...core.zones.keys()],
    };
  });
};
