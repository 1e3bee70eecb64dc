import { Metadata, status } from '@grpc/grpc-js';

/**
 * A refusal as EventStoreDB words it: a gRPC status, with what it means in trailing metadata under fixed names (its
 * RpcExceptions.cs and Constants.cs), which is what clients go by.
 */
export class ServerError extends Error {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;

  constructor(code: status, details: string, trailers: Readonly<Record<string, string>> = {}) {
    super(details);
    this.name = 'ServerError';
    this.code = code;
    this.details = details;
    this.metadata = new Metadata();
    for (const [name, value] of Object.entries(trailers)) this.metadata.set(name, value);
  }

  get isAccessDenied(): boolean {
    return this.code === status.PERMISSION_DENIED;
  }
}

/** Where the leader of a cluster listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export function notLeader(leader: Endpoint | null): ServerError {
  if (leader === null) return new ServerError(status.UNKNOWN, 'No leader info available in response');
  return new ServerError(status.NOT_FOUND, 'Leader info available', {
    exception: 'not-leader',
    'leader-endpoint-host': leader.host,
    'leader-endpoint-port': String(leader.port),
  });
}

export function accessDenied(): ServerError {
  return new ServerError(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });
}

/** Credentials that are wrong, as opposed to none: no trailers then. */
export function unauthenticated(): ServerError {
  return new ServerError(status.UNAUTHENTICATED, 'Unauthenticated');
}

export function streamDeleted(stream: string): ServerError {
  return new ServerError(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });
}

export function wrongExpectedVersion(stream: string, expected: number, actual: number): ServerError {
  return new ServerError(
    status.FAILED_PRECONDITION,
    `Delete failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expected}, Actual version: ${actual}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String(expected),
      'actual-version': String(actual),
    },
  );
}

export function maximumAppendSizeExceeded(limitBytes: number): ServerError {
  return new ServerError(status.INVALID_ARGUMENT, `Maximum Append Size of ${limitBytes} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(limitBytes),
  });
}

export function requiredMetadataPropertyMissing(name: string): ServerError {
  return new ServerError(status.INVALID_ARGUMENT, `Required Metadata Property '${name}' is missing`, {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  });
}

export function timedOut(): ServerError {
  return new ServerError(status.ABORTED, 'Operation timed out: Commit phase timeout.');
}

export function projectionNotFound(name: string): ServerError {
  return new ServerError(status.NOT_FOUND, `Projection '${name}' not found`);
}

/** How the projections' service tells of whatever it did not expect inside the server: a conflict of names, say. */
export function unexpectedReply(expected: string, received: string): ServerError {
  return new ServerError(status.UNKNOWN, `Envelope callback expected ${expected}, received ${received} instead`);
}

export function invalidArgument(what: string): ServerError {
  return new ServerError(status.INVALID_ARGUMENT, what);
}

/** What a server in .NET says of an exception that nobody foresaw. */
export function handlerFailed(): ServerError {
  return new ServerError(status.UNKNOWN, 'Exception was thrown by handler.');
}

export function leftOut(what: string): ServerError {
  return new ServerError(status.UNIMPLEMENTED, `This test server leaves out ${what}.`);
}
