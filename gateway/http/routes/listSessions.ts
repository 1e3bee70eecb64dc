import { z } from 'zod';
import { sessionsShown, zonePosition } from '../../core/queries.ts';
import type { Route } from '../edge.ts';
import { sessionView } from '../schemas/views.ts';
import { problems } from './problems.ts';

export const listSessions: Route = (api, { core }) => {
  const schema = {
    summary: 'Live sessions, then the last 200 that are over',
    tags: ['sessions'],
    response: { 200: z.object({ sessions: z.array(sessionView), position: z.string() }), ...problems },
  };
  const config = { role: 'viewer', bus: { kind: 'query', name: 'sessions' } } as const;
  api.get('/sessions', { schema, config }, () => ({
    sessions: [...sessionsShown(core)],
    position: zonePosition(core),
  }));
};
