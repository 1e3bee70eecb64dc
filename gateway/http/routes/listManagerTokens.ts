import { z } from 'zod';
import { fleetPosition } from '../../core/queries.ts';
import type { Route } from '../edge.ts';
import { managerTokenRow, rowOfToken } from '../schemas/managerTokens.ts';
import { problems } from './problems.ts';

export const listManagerTokens: Route = (api, edge) => {
  const schema = {
    summary: 'The live manager tokens, the newest first, without what agents show',
    tags: ['manager tokens'],
    response: { 200: z.object({ managerTokens: z.array(managerTokenRow), position: z.string() }), ...problems },
  };
  api.get('/manager-tokens', { schema, config: { role: 'admin' } }, () => {
    const tokens = [...edge.core.fleetProjection.state.managerTokens.values()];
    return {
      managerTokens: tokens.toReversed().map((token) => rowOfToken(edge, token)),
      position: fleetPosition(edge.core),
    };
  });
};
