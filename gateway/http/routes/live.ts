import { z } from 'zod';
import { streamEvents } from '../../live/events.ts';
import { parsePosition } from '../../live/eventRows.ts';
import { openStream } from '../../live/stream.ts';
import type { Edge, Route } from '../edge.ts';
import { callerOfRoute } from '../guard.ts';
import { HttpProblem } from '../problem.ts';
import { headOf, logPlace, positionText } from './logPlace.ts';
import { problems } from './problems.ts';

const BUSY_RETRY_SECONDS = 10;

export const live: Route = (api, edge) => {
  const schema = {
    summary:
      'Server-sent events: `view=fleet` a snapshot, then patches, the first of which bring what is `more` of a large fleet; `view=events` a log as it is written',
    tags: ['live'],
    querystring: z.strictObject({
      view: z.enum(['fleet', 'events']).default('fleet'),
      log: z.string().max(80).optional(),
      after: positionText.optional().describe('for view=events; without it only what comes from now on'),
    }),
    response: {
      200: { description: 'A stream of events', content: { 'text/event-stream': { schema: z.string() } } },
      ...problems,
    },
  };
  // A HEAD request would open a stream that nobody reads.
  api.get('/live', { schema, config: { role: 'viewer' }, exposeHeadRoute: false }, async (request, reply) => {
    const { view, log: asked, after } = request.query;
    const caller = callerOfRoute(request);
    if (!edge.live.hasRoomFor(caller.actor)) {
      const detail = `${edge.live.clients} live streams are open already, or too many of yours; close some`;
      throw new HttpProblem(503, 'BUSY', detail, { retryAfterSeconds: BUSY_RETRY_SECONDS });
    }
    const lastId = request.headers['last-event-id'];
    const resumed = typeof lastId === 'string' && parsePosition(lastId) !== null ? lastId : after;
    // Before the stream is opened, so that a wrong log is still a problem and not an empty stream.
    const place = view === 'events' ? logPlace(edge.core, asked, resumed) : null;
    reply.hijack();
    const stream = openStream(reply.raw, { ...reply.getHeaders() });
    edge.live.keep(stream, { actor: caller.actor, stands: () => edge.access.stands(caller) });
    if (place === null) edge.live.follow(stream);
    else await follow(edge, place.log, place.version ?? headOf(edge.core, place.log), stream);
  });
};

async function follow(edge: Edge, log: string, after: number, stream: ReturnType<typeof openStream>): Promise<void> {
  try {
    await streamEvents(edge.eventLog, log, after, stream);
  } catch (error) {
    edge.log.warn({ err: error, log }, 'a live stream of events broke; its client resumes it');
  } finally {
    stream.end();
  }
}
