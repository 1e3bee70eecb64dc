/** What an answer with problem details (RFC 9457) says. Members beyond these depend on the code. */
export interface ProblemDetails {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly [member: string]: unknown;
}

/** The gateway said no, and why. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly details: ProblemDetails;
  constructor(details: ProblemDetails) {
    super(details.detail === '' ? details.title : details.detail);
    this.name = 'Problem';
    this.code = details.code;
    this.status = details.status;
    this.details = details;
  }
}

/** No answer at all: the gateway is away, or the network between. */
export class GatewayUnreachable extends Error {
  readonly code = 'GATEWAY_UNREACHABLE';
  constructor(cause: unknown) {
    super('The gateway does not answer. Nothing was changed as far as this page knows; try again.', { cause });
    this.name = 'GatewayUnreachable';
  }
}

export function isRefusal(error: unknown): error is Problem | GatewayUnreachable {
  return error instanceof Problem || error instanceof GatewayUnreachable;
}

export function hasCode(error: unknown, code: string): error is Problem {
  return error instanceof Problem && error.code === code;
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof Problem && error.status === 401;
}
