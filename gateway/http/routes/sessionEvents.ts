import { z } from 'zod';
import { isHistoryOffline } from '../../../infra/log/errors.ts';
import { zoneLog, type EventLog } from '../../../infra/log/port.ts';
import type { SessionView } from '../../../projections/views.ts';
import type { Core } from '../../core/core.ts';
import { sessionVersions } from '../../core/queries.ts';
import { eventRows, type EventRow } from '../../live/eventRows.ts';
import type { Route } from '../edge.ts';
import { callerOfRoute } from '../guard.ts';
import { sessionParams } from '../schemas/requests.ts';
import { eventRow } from '../schemas/views.ts';
import { sessionOr404 } from './find.ts';
import { problems } from './problems.ts';

export const sessionEvents: Route = (api, { core, eventLog, logReader }) => {
  const schema = {
    summary:
      'What happened to a session, oldest first, straight from the log; `complete` is false when some of it was moved offline',
    tags: ['sessions'],
    params: sessionParams,
    response: { 200: z.object({ events: z.array(eventRow), complete: z.boolean() }), ...problems },
  };
  const config = { role: 'viewer', bus: { kind: 'query', name: 'sessionEvents' } } as const;
  api.get('/sessions/:sessionId/events', { schema, config }, (request) => {
    const session = sessionOr404(core, request.params.sessionId);
    return logReader.page(callerOfRoute(request), () => lifeOf(core, eventLog, session));
  });
};

/** One commit at a time, each found by its version: no work grows with the log. */
async function lifeOf(core: Core, eventLog: EventLog, { sessionId, zone, agentId }: SessionView) {
  const events: EventRow[] = [];
  let complete = true;
  for (const version of sessionVersions(core, sessionId)) {
    const rows = await rowsAt(eventLog, zone, version);
    if (rows === null) complete = false;
    else events.push(...rows.filter((row) => isAbout(row, sessionId, agentId)));
  }
  return { events, complete };
}

/** Null: that part of the log was moved offline. */
async function rowsAt(eventLog: EventLog, zone: string, version: number): Promise<readonly EventRow[] | null> {
  const log = zoneLog(zone);
  try {
    for await (const stored of eventLog.read(log, version - 1)) return eventRows(log, stored);
    return [];
  } catch (error) {
    if (isHistoryOffline(error)) return null;
    throw error;
  }
}

/** A session that ended with its agent has no event of its own for that. */
function isAbout({ type, data }: EventRow, sessionId: string, agentId: string | null): boolean {
  if ('sessionId' in data) return data.sessionId === sessionId;
  return type === 'AgentDeclaredLost' && data.agentId === agentId;
}
