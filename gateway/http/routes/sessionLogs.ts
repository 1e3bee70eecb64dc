import { pipeline } from 'node:stream/promises';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { MOST_OUTPUT_LINES, type OutputEndCode } from '../../../domain/output.ts';
import type { SessionView } from '../../../projections/views.ts';
import { sessionShown } from '../../core/queries.ts';
import { openStream } from '../../live/stream.ts';
import { isOutputUnavailable } from '../../output/errors.ts';
import type { OutputAsked, OutputPart } from '../../output/outputReader.ts';
import type { Edge, Route } from '../edge.ts';
import { callerOfRoute } from '../guard.ts';
import { HttpProblem } from '../problem.ts';
import { sessionParams } from '../schemas/requests.ts';
import { sessionOr404, zoneOr404 } from './find.ts';
import { problems } from './problems.ts';

const BUSY_RETRY_SECONDS = 10;
/** For what is not followed. */
const TEXT_WITHIN_MS = 60_000;

const STATUS: Readonly<Partial<Record<OutputEndCode, number>>> = { CONTAINER_GONE: 410, OTHER_LOG: 409 };

export const sessionLogs: Route = (api, edge) => {
  const schema = {
    summary:
      "What a session's program has printed, read from its container: text, or with `follow=true` server-sent events `lines`, then `end`",
    tags: ['sessions'],
    params: sessionParams,
    querystring: z.strictObject({
      tail: z.coerce.number().int().min(0).max(MOST_OUTPUT_LINES).default(100).describe('the last so many lines'),
      after: z.iso.datetime().max(40).optional().describe('only what was printed after this'),
      follow: z.stringbool().default(false),
      timestamps: z.stringbool().default(false).describe('of text: the time before each line; events have it always'),
    }),
    response: {
      200: {
        description: 'Lines',
        content: { 'text/plain': { schema: z.string() }, 'text/event-stream': { schema: z.string() } },
      },
      ...problems,
    },
  };
  const config = { role: 'operator' } as const;
  api.get('/sessions/:sessionId/logs', { schema, config, exposeHeadRoute: false }, async (request, reply) => {
    const { tail, after, follow, timestamps } = request.query;
    const caller = callerOfRoute(request);
    const lastId = request.headers['last-event-id'];
    const resumed = typeof lastId === 'string' && NANOSECONDS.test(lastId) ? lastId : null;
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const signal = follow ? gone.signal : AbortSignal.any([gone.signal, AbortSignal.timeout(TEXT_WITHIN_MS)]);
    const session = sessionOr404(edge.core, request.params.sessionId);
    const asked = {
      ...placeOf(edge, session),
      // Whoever goes on where the connection broke wants all that came since.
      tail: resumed === null ? tail : MOST_OUTPUT_LINES,
      follow,
      after: resumed ?? (after === undefined ? null : inNanoseconds(after)),
    };
    if (follow && !edge.live.hasRoomFor(caller.actor)) {
      throw new HttpProblem(503, 'BUSY', 'too many live streams are open already; close some', {
        retryAfterSeconds: BUSY_RETRY_SECONDS,
      });
    }
    const parts = await opened(edge, asked, signal);
    reply.hijack();
    if (!follow) return await sendText(edge, parts, timestamps, reply);
    const stream = openStream(reply.raw, { ...reply.getHeaders() });
    edge.live.keep(stream, { actor: caller.actor, stands: () => edge.access.stands(caller) });
    for await (const part of parts) {
      const last = part.kind === 'lines' ? part.lines.findLast(({ at }) => at !== null)?.at : undefined;
      const data = JSON.stringify(part.kind === 'lines' ? part.lines : part.end);
      if (!stream.send(part.kind, data, last ?? '')) await stream.whenDrained();
      if (stream.ended.aborted) break;
    }
    stream.end();
  });
};

/** Where a session's container is. Throws where there cannot be one. */
function placeOf(
  { core }: Edge,
  { sessionId, agentId, sentence, zone }: SessionView,
): Pick<OutputAsked, 'agentId' | 'logId' | 'sessionId'> {
  const { logId } = zoneOr404(core, zone).replica;
  if (agentId === null || logId === null) {
    throw new HttpProblem(409, 'NO_CONTAINER_YET', `${sessionId} has no container. ${sentence}`);
  }
  return { agentId, logId, sessionId };
}

async function opened(edge: Edge, asked: OutputAsked, signal: AbortSignal): Promise<AsyncGenerator<OutputPart>> {
  try {
    return await edge.output.open(asked, signal);
  } catch (error) {
    if (!isOutputUnavailable(error)) throw error;
    const { code, message } = error;
    const status = STATUS[code] ?? 503;
    const over = sessionShown(edge.core, asked.sessionId)?.endedAt !== null;
    const why = code === 'CONTAINER_GONE' && over ? ' A container is removed when its session has ended.' : '';
    throw new HttpProblem(status, code, `${message}${why}`, {
      cause: error,
      ...(status === 503 ? { retryAfterSeconds: BUSY_RETRY_SECONDS } : {}),
    });
  }
}

async function sendText(edge: Edge, parts: AsyncGenerator<OutputPart>, timestamps: boolean, reply: FastifyReply) {
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value);
  reply.raw.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
  try {
    await pipeline(textOf(parts, timestamps), reply.raw);
  } catch (error) {
    edge.log.debug({ err: error }, 'output of a session was not sent to its end');
  }
}

/** Breaks off where the output did: whoever reads it must not take half of it for the whole. */
async function* textOf(parts: AsyncGenerator<OutputPart>, timestamps: boolean): AsyncGenerator<string> {
  let fresh = true;
  for await (const part of parts) {
    if (part.kind === 'end') {
      if (part.end.code !== 'COMPLETE') throw new Error(`output broke off: ${part.end.sentence}`);
      return;
    }
    let text = '';
    for (const line of part.lines) {
      text += `${timestamps && fresh ? `${line.at ?? ''} ` : ''}${line.text}${line.goesOn ? '' : '\n'}`;
      fresh = !line.goesOn;
    }
    yield text;
  }
}

const NANOSECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/;

/** All digits that the engine has, so that times compare as texts. */
function inNanoseconds(time: string): string {
  const [whole = '', fraction = ''] = time.replace('Z', '').split('.');
  return `${whole}.${fraction.padEnd(9, '0').slice(0, 9)}Z`;
}
