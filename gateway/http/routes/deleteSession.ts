import { askedBy, submit } from '../commands.ts';
import type { Route } from '../edge.ts';
import { reasonBody, sessionParams } from '../schemas/requests.ts';
import { sessionView } from '../schemas/views.ts';
import { HttpProblem } from '../problem.ts';
import { sessionOr404, zoneOr404 } from './find.ts';
import { problems } from './problems.ts';

export const deleteSession: Route = (api, edge) => {
  const schema = {
    summary: 'Stops a session: 202 while its container is being stopped, 200 when there is nothing left to stop',
    tags: ['sessions'],
    params: sessionParams,
    body: reasonBody,
    response: { 200: sessionView, 202: sessionView, ...problems },
  };
  const config = { role: 'operator', bus: { kind: 'command', name: 'StopSession', target: 'zone' } } as const;
  api.delete('/sessions/:sessionId', { schema, config }, async (request, reply) => {
    const { sessionId } = request.params;
    const { zone, endedAt } = sessionOr404(edge.core, sessionId);
    if (endedAt === null) {
      const command = { type: 'StopSession', sessionId, cause: 'OPERATOR' } as const;
      const asked = { asked: askedBy(request), command, reason: request.body?.reason };
      try {
        await submit(edge, zoneOr404(edge.core, zone).replica, asked, reply);
      } catch (error) {
        // It ended between the look and the command: then there is nothing left to stop, and that is what was wanted.
        if (!(error instanceof HttpProblem) || error.code !== 'SESSION_UNKNOWN') throw error;
      }
    }
    const session = sessionOr404(edge.core, sessionId);
    reply.code(session.endedAt === null ? 202 : 200);
    return session;
  });
};
