import type { FastifyInstance } from 'fastify';
import { KEYS_LIMIT } from '../../domain/keys/state.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import { serveRequests, type ServedRequest } from '../../infra/bus/services.ts';
import { COMMAND_SUBJECTS, inboxPrefix, isInboxOf, QUERY_SUBJECTS, requestPlace } from '../../infra/names.ts';
import type { Core } from '../core/core.ts';
import type { Edge } from '../http/edge.ts';
import { HttpProblem } from '../http/problem.ts';
import { Answers, problemAnswer, type Answered } from './answers.ts';
import { feedQuery } from './feed.ts';
import { operationsOf, type Operation, type OwnOperation } from './operations.ts';
import { UnderWay } from '../underWay.ts';

export interface ServicesPorts {
  /** Of the account APP. */
  readonly bus: Bus;
  readonly app: FastifyInstance;
  readonly edge: Edge;
  readonly onTrouble: (sentence: string, cause?: unknown) => void;
}

/** Every gateway is in it, and one of them is given each request. */
const GROUP = 'gateways';
const LIMITS = { all: 256, perCaller: 32 };
const BUSY_RETRY_SECONDS = 1;

/** What is on the bus alone. */
export function ownOperations(bus: Bus, core: Core): readonly OwnOperation[] {
  return [feedQuery(bus, core)];
}

/**
 * Takes what programs ask on the bus, until the result is called: then nothing new is taken, and it resolves when everything
 * that was under way is answered. An answer goes to the caller's own inbox or nowhere: under another subject somebody
 * could have it stored, or read it who must not; then nothing is carried out either.
 */
export async function openServices({ bus, app, edge, onTrouble }: ServicesPorts): Promise<() => Promise<void>> {
  const operations = operationsOf(app.allRoutes, ownOperations(bus, edge.core));
  const answers = new Answers({ app, edge, operations });
  const underWay = new UnderWay(LIMITS);
  const warned = new Set<string>();

  function refuseInbox(subject: string): void {
    edge.metrics.countBusRequest('inbox-refused');
    const callerId = requestPlace(subject)?.callerId ?? 'nobody';
    if (warned.has(callerId) || warned.size >= KEYS_LIMIT) return;
    warned.add(callerId);
    const own = callerId === 'nobody' ? '' : `, which begin with ${inboxPrefix(callerId)}.`;
    onTrouble(`key ${callerId} asks for answers elsewhere than in its own inboxes${own}; such requests are dropped`);
  }

  async function take(request: ServedRequest): Promise<void> {
    const place = requestPlace(request.subject);
    if (place === null || !isInboxOf(place.callerId, request.reply)) {
      refuseInbox(request.subject);
      return;
    }
    const end = underWay.begin(place.callerId);
    if (end === null) {
      edge.metrics.countBusRequest('too-many');
      send(request, problemAnswer(tooMany()));
      return;
    }
    try {
      const answer = await answers.answer({ place, data: request.data, header: (name) => request.header(name) });
      edge.metrics.countBusRequest(send(request, answer) ? (answer.isProblem ? 'refused' : 'answered') : 'lost');
    } finally {
      end();
    }
  }

  const endpoints = [
    { name: 'command', subject: COMMAND_SUBJECTS, metadata: described(operations.command) },
    { name: 'query', subject: QUERY_SUBJECTS, metadata: described(operations.query) },
  ];
  const description = 'Commands and queries for programs: see "Automation on the bus" in the README';
  const { version } = edge;
  const stop = await serveRequests(bus, {
    name: 'muster',
    version,
    description,
    group: GROUP,
    endpoints,
    take,
    onTrouble,
  });
  return async () => {
    await stop();
    await underWay.idle();
  };
}

/** Whether the caller got an answer. */
function send(request: ServedRequest, { text, headers }: Answered): boolean {
  const sent = request.respond(text, headers);
  if (sent !== 'too-long') return sent === 'sent';
  const detail = `the answer of ${Buffer.byteLength(text)} bytes is longer than a message may be; ask for less, or by REST`;
  const problem = problemAnswer(new HttpProblem(413, 'ANSWER_TOO_LONG', detail));
  return request.respond(problem.text, problem.headers) === 'sent';
}

function tooMany(): HttpProblem {
  const detail = `more than ${LIMITS.perCaller} requests of one key, or ${LIMITS.all} of all, are under way here`;
  return new HttpProblem(429, 'TOO_MANY_UNDER_WAY', detail, {
    retryAfterSeconds: BUSY_RETRY_SECONDS,
    numbers: { perCaller: LIMITS.perCaller, all: LIMITS.all },
  });
}

/** What there is, for `nats micro info`. */
function described(operations: ReadonlyMap<string, Operation>): Readonly<Record<string, string>> {
  return Object.fromEntries([...operations].map(([name, { role, summary }]) => [name, `${role}: ${summary}`]));
}
