import { z } from 'zod';
import { BusError } from '../../../infra/bus/errors.ts';
import type { AgentEvents, AgentEventsCursor } from '../../history/agentEvents.ts';
import type { Route } from '../edge.ts';
import { unavailable } from '../problem.ts';
import { agentParams } from '../schemas/requests.ts';
import { eventRow } from '../schemas/views.ts';
import { agentOr404, logOfAgent } from './find.ts';
import { problems } from './problems.ts';

const answer = z.object({
  events: z.array(eventRow),
  next: z.string().nullable().describe('`before` of the next page; null: nothing older is kept'),
  since: z
    .string()
    .nullable()
    .describe('what happened before is in the log, and not found by agent; null: nothing is missing'),
});

export const agentEvents: Route = (api, { core, agentEvents: kept }) => {
  const schema = {
    summary:
      'What happened to one agent, in its zone and to its enrolment, newest first, as far back as the feeds reach',
    tags: ['agents'],
    params: agentParams,
    querystring: z.strictObject({
      before: z
        .string()
        .regex(/^\d{1,16}\.\d{1,16}$/, 'is none that a page has given')
        .optional()
        .describe('`next` of the page before'),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    response: { 200: answer, ...problems },
  };
  const config = { role: 'viewer', bus: { kind: 'query', name: 'agentEvents' } } as const;
  api.get('/agents/:agentId/events', { schema, config }, (request) => {
    const { agentId, zone } = agentOr404(core, request.params.agentId);
    const { before, limit } = request.query;
    const page = { before: before === undefined ? null : cursorOf(before), limit };
    return read(kept, agentId, logOfAgent(core, zone), page);
  });
};

async function read(kept: Pick<AgentEvents, 'page'>, ...asked: Parameters<AgentEvents['page']>) {
  try {
    const { events, next, since } = await kept.page(...asked);
    return { events: [...events], next: next === null ? null : `${next.zone}.${next.fleet}`, since };
  } catch (error) {
    if (error instanceof BusError) throw unavailable('the bus, where the feeds are, does not answer', error);
    throw error;
  }
}

function cursorOf(text: string): AgentEventsCursor {
  const [zone = 0, fleet = 0] = text.split('.').map(Number);
  return { zone, fleet };
}
