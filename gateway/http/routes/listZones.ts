import { z } from 'zod';
import { zonesShown } from '../../core/zonesShown.ts';
import type { Route } from '../edge.ts';
import { zoneSummary } from '../schemas/views.ts';
import { problems } from './problems.ts';

export const listZones: Route = (api, { core }) => {
  const schema = {
    summary: 'All zones at a glance: agents by connectivity, sessions, and trouble of the zone as a whole',
    tags: ['zones'],
    response: { 200: z.object({ zones: z.array(zoneSummary) }), ...problems },
  };
  const config = { role: 'viewer', bus: { kind: 'query', name: 'zones' } } as const;
  api.get('/zones', { schema, config }, () => ({ zones: [...zonesShown(core)] }));
};
