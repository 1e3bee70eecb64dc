import { z } from 'zod';
import * as s from '../../../domain/schemas.ts';
import type { BrowserSessions, BrowserSessionView } from '../../auth/browserSessions.ts';
import type { Caller } from '../../auth/caller.ts';
import type { Route } from '../edge.ts';
import { callerOfRoute } from '../guard.ts';
import { notFound } from '../problem.ts';
import { ACCESS_LIMIT } from '../rateLimits.ts';
import { clearSession } from '../sessionCookie.ts';
import { problems } from './problems.ts';

const browserSession = z
  .object({
    sessionId: z.string(),
    browser: z.string(),
    madeAt: s.time,
    seenAt: s.time.describe('to about ten minutes'),
    current: z.boolean(),
  })
  .meta({ id: 'BrowserSession' });

export const listMySessions: Route = (api, { access }) => {
  const schema = {
    summary: 'The browsers in which who is asking is signed in',
    tags: ['access'],
    response: { 200: z.object({ sessions: z.array(browserSession) }), ...problems },
  };
  api.get('/me/sessions', { schema, config: { role: 'viewer' } }, (request) => {
    const caller = callerOfRoute(request);
    const sessions = browsersOf(caller, access.sessions);
    return {
      sessions: sessions.map(({ sessionId, browser, madeAt, seenAt }) => {
        return { sessionId, browser, madeAt, seenAt, current: sessionId === caller.sessionId };
      }),
    };
  });
};

export const endMySessions: Route = (api, { access }) => {
  const schema = {
    summary: 'Signs who is asking out of every browser, this one too',
    tags: ['access'],
    response: { 204: z.undefined(), ...problems },
  };
  const config = { role: 'viewer', rateLimit: ACCESS_LIMIT } as const;
  api.delete('/me/sessions', { schema, config }, async (request, reply) => {
    const caller = callerOfRoute(request);
    clearSession(request, reply);
    if (caller.actor.kind === 'operator') await access.sessions.endAll(caller.actor.id);
    return reply.code(204).send();
  });
};

export const endMySession: Route = (api, { access }) => {
  const schema = {
    summary: 'Signs who is asking out of one browser',
    tags: ['access'],
    params: z.object({ sessionId: s.id }),
    response: { 204: z.undefined(), ...problems },
  };
  const config = { role: 'viewer', rateLimit: ACCESS_LIMIT } as const;
  api.delete('/me/sessions/:sessionId', { schema, config }, async (request, reply) => {
    const { actor } = callerOfRoute(request);
    const { sessionId } = request.params;
    const ended = actor.kind === 'operator' && (await access.sessions.end(actor.id, sessionId));
    if (!ended) throw notFound('BROWSER_SESSION_UNKNOWN', 'you have no such session; it may have ended by itself');
    return reply.code(204).send();
  });
};

/** A program has no browser. */
function browsersOf({ actor }: Caller, sessions: BrowserSessions): readonly BrowserSessionView[] {
  return actor.kind === 'operator' ? sessions.list(actor.id) : [];
}
