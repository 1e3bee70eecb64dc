import { z } from 'zod';
import { readOnline } from '../../../infra/log/online.ts';
import type { EventLog } from '../../../infra/log/port.ts';
import { eventRows, type EventRow } from '../../live/eventRows.ts';
import type { Route } from '../edge.ts';
import { callerOfRoute } from '../guard.ts';
import { eventRow } from '../schemas/views.ts';
import { headOf, logPlace, positionText } from './logPlace.ts';
import { problems } from './problems.ts';

export const listEvents: Route = (api, { core, eventLog, logReader }) => {
  const schema = {
    summary: 'A page of a log, oldest first, straight from the log; `next` is where the next page begins',
    tags: ['events'],
    querystring: z.strictObject({
      log: z.string().max(80).optional().describe('zone-default (the default) or fleet'),
      after: positionText.optional(),
      last: z.coerce.number().int().min(1).max(1000).optional().describe('instead of `after`: the last so many events'),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    response: { 200: z.object({ events: z.array(eventRow), next: z.string().nullable() }), ...problems },
  };
  const config = { role: 'viewer', bus: { kind: 'query', name: 'events' } } as const;
  api.get('/events', { schema, config }, (request) => {
    const { log: asked, after, last, limit } = request.query;
    const { log, version } = logPlace(core, asked, after);
    return logReader.page(callerOfRoute(request), () => {
      if (last !== undefined && version === null) return lastOnes(eventLog, log, headOf(core, log), last);
      return page(eventLog, log, version ?? 0, limit);
    });
  });
};

/** Whole commits, so that a page ends on a position: a few more rows than the limit are possible. */
async function page(eventLog: EventLog, log: string, after: number, limit: number) {
  const events: EventRow[] = [];
  for await (const stored of eventLog.read(log, after)) {
    if (events.length >= limit) return { events, next: events.at(-1)?.position ?? null };
    events.push(...eventRows(log, stored));
  }
  return { events, next: null };
}

/** Every commit holds at least one event, so so many commits hold enough of them. */
async function lastOnes(eventLog: EventLog, log: string, head: number, last: number) {
  const events: EventRow[] = [];
  const after = Math.max(0, head - last);
  for await (const stored of readOnline(eventLog, log, after)) events.push(...eventRows(log, stored));
  return { events: events.slice(-last), next: null };
}
