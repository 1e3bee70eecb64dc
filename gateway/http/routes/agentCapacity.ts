import { z } from 'zod';
import { BusError } from '../../../infra/bus/errors.ts';
import { agentNow } from '../../../projections/capacityHistory.ts';
import type { Range } from '../../../projections/rollupRange.ts';
import type { CapacityAnswer } from '../../history/capacityReader.ts';
import type { Edge, Route } from '../edge.ts';
import { unavailable } from '../problem.ts';
import { capacityHistory } from '../schemas/agentHistory.ts';
import { agentParams } from '../schemas/requests.ts';
import { agentOr404 } from './find.ts';
import { problems } from './problems.ts';
import { beginsOnce, BEGINS_TWICE, rangeFields, rangeOf } from './timeRange.ts';

const query = z.strictObject(rangeFields).refine(beginsOnce, BEGINS_TWICE);

export const agentCapacity: Route = (api, edge) => {
  const schema = {
    summary: 'Capacity and allocated of an agent through time, exact, and who changed its settings',
    tags: ['agents'],
    params: agentParams,
    querystring: query,
    response: { 200: capacityHistory, ...problems },
  };
  const config = { role: 'viewer', bus: { kind: 'query', name: 'capacity' } } as const;
  api.get('/agents/:agentId/capacity', { schema, config }, (request) => {
    const { agentId, zone } = agentOr404(edge.core, request.params.agentId);
    return answer(edge, agentId, zone, rangeOf(request.query, edge.clock.now()));
  });
};

async function answer(edge: Edge, agentId: string, zone: string, range: Range) {
  const { since, steps, changes, thinnedTo } = await history(edge, agentId, zone, range);
  return { agentId, since, steps: [...steps], changes: [...changes], thinnedToSeconds: thinnedTo };
}

/** In no zone it has no capacity, and holds nothing. */
async function history(
  { core, capacity, clock }: Edge,
  agentId: string,
  zone: string,
  range: Range,
): Promise<CapacityAnswer> {
  const projection = core.zones.get(zone)?.projection;
  const agent = projection?.state.agents.get(agentId);
  const logId = projection?.logId ?? null;
  if (projection === undefined || agent === undefined || logId === null) {
    return { since: clock.now(), steps: [], changes: [], thinnedTo: null };
  }
  const { log, version, state } = projection;
  try {
    return await capacity.read(
      { agentId, log, logId, version, at: Date.parse(state.time), now: agentNow(agent) },
      range,
    );
  } catch (error) {
    if (error instanceof BusError) throw unavailable('the bus, where the history is kept, does not answer', error);
    throw error;
  }
}
