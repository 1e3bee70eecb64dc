import { z } from 'zod';
import { keysInOrder } from '../../../projections/people.ts';
import { fleetPosition } from '../../core/queries.ts';
import type { Route } from '../edge.ts';
import { keyRow, rowOfKey } from '../schemas/keys.ts';
import { problems } from './problems.ts';

export const listKeys: Route = (api, edge) => {
  const schema = {
    summary: 'All access keys, without their secrets',
    tags: ['keys'],
    response: { 200: z.object({ keys: z.array(keyRow), position: z.string() }), ...problems },
  };
  api.get('/keys', { schema, config: { role: 'admin' } }, () => ({
    keys: keysInOrder(edge.core.fleetProjection.state).map((key) => rowOfKey(edge, key)),
    position: fleetPosition(edge.core),
  }));
};
