import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  LogError,
  isHistoryOffline,
  isLogUnavailable,
  isLogUnreadable,
  isOutcomeUnknown,
} from '../../infra/log/errors.ts';
import { isSecretConflict, isSecretsFull, isSecretsUnavailable } from '../../infra/secrets/errors.ts';
import { isAccessRefused, type AccessCode, type AccessRefused } from '../auth/errors.ts';
import { LogReadOnly, isControllerUnavailable } from '../controller/machine.ts';
import { HttpProblem, notFound, problemDocument, unavailable, type WrongPlace } from './problem.ts';

/** Everything that goes wrong leaves here as problem details, and nothing of the inside leaves with it. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const { id, log, routeOptions } = request;
    sendProblem(reply, toProblem(error, { id, log, route: routeOptions.url }));
  });
  app.setNotFoundHandler((request) => {
    throw notFound('ROUTE_UNKNOWN', `there is no ${request.method} ${pathOf(request)}; see /docs for what there is`);
  });
}

export function sendProblem(reply: FastifyReply, problem: HttpProblem): void {
  const { retryAfterSeconds } = problem.options;
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="muster"');
  // A text is sent as it is; the route's own schema for this status is for documentation only.
  void reply
    .code(problem.status)
    .type('application/problem+json')
    .send(JSON.stringify(problemDocument(problem)));
}

function pathOf({ url }: FastifyRequest): string {
  return (url.split('?')[0] ?? '').slice(0, 200);
}

/** Of which request something is told in the gateway's log. */
interface Incident {
  readonly id: string;
  readonly log: FastifyBaseLogger;
  readonly route: string | undefined;
}

/** What the client is told of any error. */
export function toProblem(error: unknown, incident: Incident): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalidRequest(error);
  if (isControllerUnavailable(error) || isLogUnavailable(error) || isOutcomeUnknown(error)) {
    return unavailable(error instanceof Error ? error.message : 'the event log does not answer', error);
  }
  if (isHistoryOffline(error)) {
    const { readableAfter, message } = error;
    return new HttpProblem(410, error.code, message, { numbers: { readableAfter }, cause: error });
  }
  if (isAccessRefused(error)) return notLetIn(error);
  if (isSecretsUnavailable(error)) return unavailable('the bus is away, where passwords and sessions are kept', error);
  if (isSecretConflict(error)) {
    return new HttpProblem(409, 'CHANGED_MEANWHILE', 'somebody else changed the same just now; look again', {
      cause: error,
    });
  }
  if (isSecretsFull(error) && error instanceof Error)
    return new HttpProblem(503, 'SECRETS_FULL', error.message, { cause: error });
  if (error instanceof LogError && isLogUnreadable(error)) {
    return new HttpProblem(503, error.code, error.message, { cause: error });
  }
  if (error instanceof LogReadOnly) return new HttpProblem(503, error.code, error.message, { cause: error });
  const known = error instanceof Error && 'code' in error ? KNOWN[String(error.code)] : undefined;
  if (known !== undefined) return known();
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number') {
    if (error.statusCode >= 400 && error.statusCode < 500) {
      return new HttpProblem(error.statusCode, 'REQUEST_REFUSED', error.message, { cause: error });
    }
  }
  return unexpected(error, incident);
}

const ACCESS_STATUS: Readonly<Record<AccessCode, number>> = {
  SIGN_IN_WRONG: 401,
  SIGN_IN_LINK_INVALID: 401,
  LOCKED_OUT: 429,
  PASSWORD_REFUSED: 400,
  BUSY: 503,
};

function notLetIn({ code, message, field, retryAfterSeconds }: AccessRefused): HttpProblem {
  return new HttpProblem(ACCESS_STATUS[code], code, message, {
    ...(field === undefined ? {} : { errors: [{ path: field, message }] }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds, numbers: { retryAfterSeconds } }),
  });
}

/** What the HTTP library refuses by itself, in our words. */
const KNOWN: Readonly<Record<string, () => HttpProblem>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: () => new HttpProblem(400, 'INVALID_JSON', 'the body is not valid JSON'),
  FST_ERR_CTP_EMPTY_JSON_BODY: () =>
    new HttpProblem(400, 'INVALID_JSON', 'the body is empty, though its content type says application/json'),
  FST_ERR_CTP_BODY_TOO_LARGE: () => new HttpProblem(413, 'BODY_TOO_LARGE', 'a body may have at most 1 MB'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new HttpProblem(415, 'UNSUPPORTED_MEDIA_TYPE', 'a body must be sent as application/json'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new HttpProblem(400, 'INVALID_REQUEST', 'the body is not as long as Content-Length says'),
};

interface ZodFailure {
  readonly validation: readonly Issue[];
  readonly validationContext?: string | undefined;
}
interface Issue {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message?: string | undefined;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Each wrong place with its message. An unknown field has a code of its own, since it is most often a typing error. */
export function invalidRequest({ validation, validationContext }: ZodFailure): HttpProblem {
  const errors = validation.flatMap(placesOf);
  const where = validationContext === 'params' ? 'path' : (validationContext ?? 'request');
  const onlyUnknown = validation.every(({ keyword }) => keyword === 'unrecognized_keys');
  const sentence = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  return new HttpProblem(
    400,
    onlyUnknown ? 'UNKNOWN_FIELD' : 'INVALID_REQUEST',
    `the ${where} is not as it should be: ${sentence}`.slice(0, 2000),
    { errors },
  );
}

function placesOf({ keyword, instancePath, message, params }: Issue): readonly WrongPlace[] {
  const path = instancePath.slice(1).replaceAll('/', '.');
  if (keyword !== 'unrecognized_keys' || !Array.isArray(params['keys'])) {
    return [{ path, message: keyMessage(params) ?? message ?? 'not valid' }];
  }
  return params['keys'].map((key) => ({
    path: path === '' ? String(key) : `${path}.${String(key)}`,
    message: 'there is no field of this name',
  }));
}

/** What is wrong with the name of a field that may have any is told one level further down. */
function keyMessage({ origin, issues }: Issue['params']): string | null {
  if (origin !== 'record' || !Array.isArray(issues)) return null;
  const [first]: unknown[] = issues;
  return typeof first === 'object' && first !== null && 'message' in first ? String(first.message) : null;
}

/** A defect: the log has the whole of it under an id, the client only the id. */
function unexpected(error: unknown, { id, log, route }: Incident): HttpProblem {
  log.error({ err: error, incident: id, route }, 'a request failed');
  const detail = `something unexpected happened; the gateway's log has it under the incident ${id}`;
  return new HttpProblem(500, 'INTERNAL', detail, { extra: { incident: id }, cause: error });
}
