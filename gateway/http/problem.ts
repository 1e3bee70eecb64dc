import { REJECTION_CODES, type Rejection, type RejectionKind } from '../../domain/decision.ts';

/** One wrong place in a request. `path` is like `ports.0.containerPort`; empty means the whole. */
export interface WrongPlace {
  readonly path: string;
  readonly message: string;
}

export interface ProblemOptions {
  readonly numbers?: Readonly<Record<string, number>>;
  readonly errors?: readonly WrongPlace[];
  /** Members that belong to this code alone. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** A refusal on its way to the client, as problem details (RFC 9457). Codes are stable: clients match on them. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly code: string;
  readonly options: ProblemOptions;

  constructor(status: number, code: string, detail: string, options: ProblemOptions = {}) {
    super(detail, { cause: options.cause });
    this.status = status;
    this.code = code;
    this.options = options;
  }
}

const STATUS: Readonly<Record<RejectionKind, number>> = {
  invalid: 400,
  'not-found': 404,
  conflict: 409,
  stale: 412,
  busy: 503,
};

const BUSY_RETRY_SECONDS = 5;

/** What a decider refused. */
export function problemOf({ code, message, numbers }: Rejection): HttpProblem {
  const kind: RejectionKind = REJECTION_CODES[code];
  return new HttpProblem(STATUS[kind], code, message, {
    ...(numbers === undefined ? {} : { numbers }),
    ...(kind === 'busy' ? { retryAfterSeconds: BUSY_RETRY_SECONDS } : {}),
  });
}

export function notFound(code: string, detail: string): HttpProblem {
  return new HttpProblem(404, code, detail);
}

export const RETRY_AFTER_SECONDS = 2;

export function unavailable(detail: string, cause?: unknown): HttpProblem {
  return new HttpProblem(503, 'UNAVAILABLE', detail, { retryAfterSeconds: RETRY_AFTER_SECONDS, cause });
}

/** The document as it is sent. `title` says the same for every problem of a code. */
export function problemDocument({ status, code, message, options }: HttpProblem): Readonly<Record<string, unknown>> {
  const { numbers, errors, extra } = options;
  return {
    type: `urn:muster:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: titleOf(code),
    status,
    code,
    detail: message,
    ...(numbers === undefined ? {} : { numbers }),
    ...(errors === undefined ? {} : { errors }),
    ...extra,
  };
}

/** `SESSION_REFUSED` becomes `Session refused`. */
function titleOf(code: string): string {
  const words = code.toLowerCase().replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
