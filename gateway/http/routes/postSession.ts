import { z } from 'zod';
import { shortened } from '../../../domain/placement/explain.ts';
import type { Explanation } from '../../../domain/placement/explanation.ts';
import type { RequestSession } from '../../../domain/zone/commands.ts';
import type { SessionView } from '../../../projections/views.ts';
import { isHistoryOffline } from '../../../infra/log/errors.ts';
import { sessionShown } from '../../core/queries.ts';
import { askedBy, sessionIdFor, submitMade } from '../commands.ts';
import type { Edge, Route } from '../edge.ts';
import { HttpProblem } from '../problem.ts';
import { sessionPost } from '../schemas/requests.ts';
import { explanation, sessionView } from '../schemas/views.ts';
import { needsOf, zoneOr404 } from './find.ts';
import { problems } from './problems.ts';

const started = z.object({
  session: sessionView,
  placement: explanation
    .nullable()
    .describe('null only for a repeated key whose decision was moved offline with its part of the log'),
});

export const postSession: Route = (api, edge) => {
  const schema = {
    summary:
      'Starts a session: placed (201), waiting in the line (202), or refused (409) with the reasons of the first agents',
    tags: ['sessions'],
    body: sessionPost,
    response: { 201: started, 202: started, ...problems },
  };
  const config = {
    role: 'operator',
    bus: { kind: 'command', name: 'RequestSession', target: 'zone', fills: 'zone' },
  } as const;
  api.post('/sessions', { schema, config }, async (request, reply) => {
    const { imageId, zone: zoneId, agentId = null, priority, whenFull, maxWaitSeconds = null, reason } = request.body;
    const zone = zoneOr404(edge.core, zoneId);
    const asked = askedBy(request);
    const sessionId = sessionIdFor(asked);
    const make = (): RequestSession => {
      const image = needsOf(edge.core, imageId);
      return { type: 'RequestSession', sessionId, image, priority, whenFull, maxWaitSeconds, agentId };
    };
    const order = { asked, type: 'RequestSession', body: request.body, make, reason } as const;
    const answer = await submitMade(edge, zone.replica, order, reply);
    const placement = isExplanation(answer.detail) ? answer.detail : await explained(edge, zoneId, sessionId);
    const session = shownOr410(edge, sessionId);
    if (answer.outcome['decision'] === 'refused') throw refused(session, placement);
    reply.code(answer.outcome['decision'] === 'placed' ? 201 : 202).header('location', `/api/v1/sessions/${sessionId}`);
    return { session, placement };
  });
};

/** A repeated key gets its explanation computed again, out of the log, as short as the first. */
async function explained({ logReader }: Edge, zone: string, sessionId: string): Promise<Explanation | null> {
  try {
    return shortened(await logReader.explain(zone, sessionId));
  } catch (error) {
    if (isHistoryOffline(error)) return null;
    throw error;
  }
}

function shownOr410({ core }: Edge, sessionId: string): SessionView {
  const session = sessionShown(core, sessionId);
  if (session !== null) return session;
  const detail = `this key started session ${sessionId}, which is over for so long that only the log has it`;
  throw new HttpProblem(410, 'SESSION_OVER', detail, { extra: { sessionId } });
}

function refused({ sessionId, sentence, refusal }: SessionView, placement: Explanation | null): HttpProblem {
  return new HttpProblem(409, 'SESSION_REFUSED', sentence, { extra: { sessionId, refusal, placement } });
}

/** What a decider gives along with the first answer to a request. */
function isExplanation(detail: unknown): detail is Explanation {
  return typeof detail === 'object' && detail !== null && 'decision' in detail && 'candidates' in detail;
}
