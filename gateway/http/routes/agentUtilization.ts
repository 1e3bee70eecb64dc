import { z } from 'zod';
import * as s from '../../../domain/schemas.ts';
import { BusError } from '../../../infra/bus/errors.ts';
import { RESOLUTIONS, type Resolution } from '../../../projections/rollup.ts';
import { MOST_POINTS, pointsIn, resolutionFor, resolutionOf, type Range } from '../../../projections/rollupRange.ts';
import { utilizationPoint } from '../../../projections/utilizationView.ts';
import type { UtilizationView } from '../../../projections/views.ts';
import type { HistoryReader } from '../../history/reader.ts';
import type { Route } from '../edge.ts';
import { HttpProblem, unavailable } from '../problem.ts';
import { agentParams } from '../schemas/requests.ts';
import { utilizationView } from '../schemas/views.ts';
import { agentOr404 } from './find.ts';
import { problems } from './problems.ts';

const HOUR_MS = 3_600_000;
const MOST_HOURS = 400 * 24;
const STEPS = RESOLUTIONS.map(({ bucketSeconds }) => String(bucketSeconds));

const query = z
  .strictObject({
    hours: z.coerce.number().int().min(1).max(MOST_HOURS).optional().describe('back from `until`; 24 unless said'),
    since: s.time.optional().describe('instead of `hours`'),
    until: s.time.optional().describe('now unless said'),
    step: z.enum(STEPS).optional().describe('seconds; kept 24 h, 7 d and 400 d. Unless said, the finest to draw'),
  })
  .refine(({ hours, since }) => hours === undefined || since === undefined, {
    path: ['hours'],
    message: 'say `hours` or `since`, not both',
  });

export const agentUtilization: Route = (api, { core, clock, history }) => {
  const schema = {
    summary: `What was measured on an agent; a missing point is a gap. At most ${MOST_POINTS} points`,
    tags: ['agents'],
    params: agentParams,
    querystring: query,
    response: { 200: utilizationView, ...problems },
  };
  api.get('/agents/:agentId/utilization', { schema }, (request) => {
    const { agentId } = agentOr404(core, request.params.agentId);
    const range = rangeOf(request.query, clock.now());
    return answer(history, agentId, range, chosen(range, request.query.step, clock.now()));
  });
};

/** What is stored is on the bus; without it an answer would be full of gaps that are none. */
async function answer(
  history: HistoryReader,
  agentId: string,
  range: Range,
  resolution: Resolution,
): Promise<UtilizationView> {
  try {
    const buckets = await history.read(agentId, range, resolution);
    return { agentId, stepSeconds: resolution.bucketSeconds, points: buckets.map(utilizationPoint) };
  } catch (error) {
    if (error instanceof BusError) throw unavailable('the bus, where the history is kept, does not answer', error);
    throw error;
  }
}

function rangeOf({ hours = 24, since, until }: z.infer<typeof query>, now: number): Range {
  const end = until === undefined ? now : Date.parse(until);
  const range = { since: since === undefined ? end - hours * HOUR_MS : Date.parse(since), until: end };
  if (range.since <= range.until) return range;
  throw new HttpProblem(400, 'INVALID_REQUEST', 'the range ends before it begins', {
    errors: [{ path: 'since', message: 'must not be after `until`' }],
  });
}

function chosen(range: Range, step: string | undefined, now: number): Resolution {
  const resolution = (step === undefined ? null : resolutionOf(Number(step))) ?? resolutionFor(range, now);
  const points = pointsIn(range, resolution);
  if (points <= MOST_POINTS) return resolution;
  const detail = `a range of ${points} points is more than the ${MOST_POINTS} that are answered; ask for less or a wider step`;
  throw new HttpProblem(400, 'RANGE_TOO_LONG', detail, { numbers: { points, mostPoints: MOST_POINTS } });
}
