import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { RequestPlace } from '../../infra/names.ts';
import { FLEET_TARGET } from '../../infra/names.ts';
import { nearestOf } from '../../infra/nearest.ts';
import type { Caller } from '../auth/caller.ts';
import type { Edge } from '../http/edge.ts';
import { toProblem } from '../http/errors.ts';
import { askInside } from '../http/inside.ts';
import { HttpProblem, notFound, problemDocument } from '../http/problem.ts';
import { requireEnough } from '../http/roles.ts';
import { fieldsIn, requestOf, type Fields } from './message.ts';
import type { Operation, Operations, RouteOperation } from './operations.ts';
import { targeted } from './target.ts';

/** One request, as it stands on the bus. */
export interface Asked {
  readonly place: RequestPlace;
  readonly data: Uint8Array;
  header(name: string): string | undefined;
}

/** `text` is JSON, and what REST would have answered; with a problem `headers` say so. */
export interface Answered {
  readonly isProblem: boolean;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Said with a request as on REST, and with an answer. */
const HEADERS_IN = ['Idempotency-Key', 'If-Match', 'If-None-Match'];
const HEADERS_OUT = ['ETag', 'Idempotency-Replayed', 'Retry-After'];
/** What NATS's own tools know an error by. */
const ERROR_STATUS = 'Nats-Service-Error-Code';
const ERROR_CODE = 'Nats-Service-Error';

export interface AnswersPorts {
  readonly app: FastifyInstance;
  readonly edge: Pick<Edge, 'access' | 'core' | 'log'>;
  readonly operations: Operations;
}

/** Answers what programs ask on the bus by asking the route that REST has for it. Never rejects. */
export class Answers {
  readonly #ports: AnswersPorts;

  constructor(ports: AnswersPorts) {
    this.#ports = ports;
  }

  async answer(asked: Asked): Promise<Answered> {
    try {
      return await this.#answer(asked);
    } catch (error) {
      const { kind, asked: tokens } = asked.place;
      const route = `${kind} ${tokens.join('.').slice(0, 100)}`;
      return problemAnswer(toProblem(error, { id: randomUUID().slice(0, 8), log: this.#ports.edge.log, route }));
    }
  }

  async #answer(asked: Asked): Promise<Answered> {
    const { app, edge, operations } = this.#ports;
    const caller = callerOf(edge, asked.place.callerId);
    const { operation, target } = found(operations, asked.place);
    requireEnough(operation.role, caller.role);
    const fields = targeted(edge.core, operation, target, fieldsIn(asked.data));
    if ('answer' in operation) return plainAnswer(JSON.stringify(await operation.answer(fields)), {});
    return await askRoute(app, caller, operation, fields, asked);
  }
}

/** The subject names the key, and the bus let nobody else publish there; whether it still stands is looked up each time. */
function callerOf({ access }: Pick<Edge, 'access'>, keyId: string): Caller {
  const held = access.keys.look(keyId);
  if (held !== null) return { ...held, by: 'bus' };
  throw new HttpProblem(401, 'KEY_WRONG', 'the key is not valid: it is unknown, has expired or was revoked');
}

interface Found {
  readonly operation: Operation;
  /** Of a command: a zone, or the fleet. */
  readonly target: string | undefined;
}

function found(operations: Operations, { kind, asked }: RequestPlace): Found {
  const known = operations[kind];
  const [target, name] = kind === 'command' ? asked : [undefined, asked[0]];
  const operation = asked.length === (kind === 'command' ? 2 : 1) ? known.get(name ?? '') : undefined;
  if (operation !== undefined) return { operation, target };
  const shown = (name ?? '').toWellFormed().slice(0, 100);
  const near = nearestOf(shown, [...known.keys()]);
  const hint = near === undefined ? `there are ${[...known.keys()].toSorted().join(', ')}` : `did you mean ${near}?`;
  if (kind === 'query') throw notFound('QUERY_UNKNOWN', `there is no query "${shown}"; ${hint}`);
  const grammar = `muster.cmd.<key id>.<zone or ${FLEET_TARGET}>.<Command>`;
  throw notFound('COMMAND_UNKNOWN', `there is no command "${shown}" (${grammar}); ${hint}`);
}

async function askRoute(
  app: FastifyInstance,
  caller: Caller,
  operation: RouteOperation,
  fields: Fields,
  asked: Asked,
): Promise<Answered> {
  const request = requestOf(operation, fields);
  const said = HEADERS_IN.flatMap((name) => {
    const value = asked.header(name);
    return value === undefined ? [] : [[name, value]];
  });
  const headers = {
    ...Object.fromEntries(said),
    ...(request.payload === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const {
    statusCode,
    payload,
    headers: told,
  } = await askInside(app, { caller, bus: operation.bus }, { ...request, headers });
  const carried = HEADERS_OUT.flatMap((name) => {
    const value = told[name.toLowerCase()];
    return value === undefined ? [] : [[name, String(value)]];
  });
  if (statusCode < 400) return plainAnswer(payload, Object.fromEntries(carried));
  const { code } = JSON.parse(payload) as { readonly code: string };
  return {
    isProblem: true,
    text: payload,
    headers: { ...Object.fromEntries(carried), [ERROR_STATUS]: String(statusCode), [ERROR_CODE]: code },
  };
}

/** Every answer is JSON, also where REST has nothing to say. */
function plainAnswer(text: string, headers: Readonly<Record<string, string>>): Answered {
  return { isProblem: false, text: text === '' ? '{}' : text, headers };
}

/** A problem in the shape of REST. */
export function problemAnswer(problem: HttpProblem): Answered {
  const { retryAfterSeconds } = problem.options;
  return {
    isProblem: true,
    text: JSON.stringify(problemDocument(problem)),
    headers: {
      [ERROR_STATUS]: String(problem.status),
      [ERROR_CODE]: problem.code,
      ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }),
    },
  };
}
