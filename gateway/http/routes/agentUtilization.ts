import { z } from 'zod';
import { BusError } from '../../../infra/bus/errors.ts';
import { RESOLUTIONS, type Resolution } from '../../../projections/rollup.ts';
import { MOST_POINTS, pointsIn, resolutionFor, resolutionOf, type Range } from '../../../projections/rollupRange.ts';
import type { UtilizationView } from '../../../projections/views.ts';
import type { HistoryReader } from '../../history/reader.ts';
import type { Route } from '../edge.ts';
import { HttpProblem, unavailable } from '../problem.ts';
import { agentParams } from '../schemas/requests.ts';
import { utilization } from '../schemas/agentHistory.ts';
import { agentOr404 } from './find.ts';
import { problems } from './problems.ts';
import { beginsOnce, BEGINS_TWICE, rangeFields, rangeOf } from './timeRange.ts';

const STEPS = RESOLUTIONS.map(({ bucketSeconds }) => String(bucketSeconds));

const query = z
  .strictObject({
    ...rangeFields,
    step: z.enum(STEPS).optional().describe('seconds; kept 24 h, 7 d and 400 d. Unless said, the finest to draw'),
  })
  .refine(beginsOnce, BEGINS_TWICE);

export const agentUtilization: Route = (api, { core, clock, history }) => {
  const schema = {
    summary: `What was measured on an agent; a null is a gap. At most ${MOST_POINTS} points`,
    tags: ['agents'],
    params: agentParams,
    querystring: query,
    response: { 200: utilization, ...problems },
  };
  const config = { role: 'viewer', bus: { kind: 'query', name: 'utilization' } } as const;
  api.get('/agents/:agentId/utilization', { schema, config }, async (request, reply) => {
    const { agentId } = agentOr404(core, request.params.agentId);
    const range = rangeOf(request.query, clock.now());
    const view = await read(history, agentId, range, chosen(range, request.query.step, clock.now()));
    // Each of up to 130,000 numbers was looked at in its chunk; to look at it again takes as long as to write it.
    reply.type('application/json; charset=utf-8').serializer(JSON.stringify);
    return view;
  });
};

/** What is stored is on the bus; without it an answer would be full of gaps that are none. */
async function read(
  history: Pick<HistoryReader, 'read'>,
  agentId: string,
  range: Range,
  resolution: Resolution,
): Promise<UtilizationView> {
  try {
    return await history.read(agentId, range, resolution);
  } catch (error) {
    if (error instanceof BusError) throw unavailable('the bus, where the history is kept, does not answer', error);
    throw error;
  }
}

function chosen(range: Range, step: string | undefined, now: number): Resolution {
  const resolution = (step === undefined ? null : resolutionOf(Number(step))) ?? resolutionFor(range, now);
  const points = pointsIn(range, resolution);
  if (points <= MOST_POINTS) return resolution;
  const detail = `a range of ${points} points is more than the ${MOST_POINTS} that are answered; ask for less or a wider step`;
  throw new HttpProblem(400, 'RANGE_TOO_LONG', detail, { numbers: { points, mostPoints: MOST_POINTS } });
}
