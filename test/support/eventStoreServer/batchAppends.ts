import type { ServerDuplexStream } from '@grpc/grpc-js';
import codes from '@eventstore/db-client/generated/code_pb.js';
import type { Code } from '@eventstore/db-client/generated/code_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import statuses from '@eventstore/db-client/generated/status_pb.js';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import any from 'google-protobuf/google/protobuf/any_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import { loseAnswer } from './appends.ts';
import { requireLeading, send, type Caller, type Node } from './calls.ts';
import { ServerError } from './errors.ts';
import { ANY, NO_STREAM, numberToWire, STREAM_EXISTS } from './numbers.ts';
import type { Outcome } from './store.ts';
import type { ProposedEvent } from './streams.ts';
import { expectedOf, proposedEvent, sizeOf, streamIdentifier, streamName, uuid, uuidOf } from './wire.ts';

type BatchCall = ServerDuplexStream<BatchAppendReq, BatchAppendResp>;

interface Batch {
  readonly stream: string;
  readonly expected: number;
  readonly events: ProposedEvent[];
  bytes: number;
}

/**
 * BatchAppend: appends of one client by a number that it gives each, answered on the same call as they are done; errors of
 * an append are answers, too. Whoever asks for the leader of another node loses the whole call, as with EventStoreDB.
 */
export async function batchAppend(node: Node, call: BatchCall, caller: Caller): Promise<void> {
  const batches = new Map<string, Batch>();
  const working = new Set<Promise<void>>();
  try {
    // A call that is destroyed could not be answered any more, so leaving the loop must not do that.
    const requests = call.iterator({ destroyOnReturn: false }) as AsyncIterable<BatchAppendReq>;
    for await (const request of requests) {
      await node.levers.released();
      const id = uuidOf(request.getCorrelationId());
      const outcome = take(node, caller, batches, id, request);
      if (outcome === null) continue;
      requireLeading(node, caller);
      const work = answer(node, call, id, outcome).finally(() => working.delete(work));
      working.add(work);
    }
  } catch (error) {
    if (call.cancelled) return;
    throw error;
  }
  await Promise.all(working);
}

interface Answered {
  readonly stream: string;
  readonly expected: number;
  readonly outcome: Promise<Outcome> | Status;
}

/** Null while the client is still sending. */
function take(
  node: Node,
  caller: Caller,
  batches: Map<string, Batch>,
  id: string,
  request: BatchAppendReq,
): Answered | null {
  const batch = batches.get(id) ?? begun(request);
  if (batch === null) return null;
  batches.set(id, batch);
  const refused = refusalOf(node, caller, batch, request);
  if (refused === null && !request.getIsFinal()) return null;
  batches.delete(id);
  const { stream, expected, events } = batch;
  return { stream, expected, outcome: refused ?? node.store.append(stream, expected, events) };
}

function begun(request: BatchAppendReq): Batch | null {
  const options = request.getOptions();
  if (options === undefined) return null;
  const position = options.hasStreamPosition() ? options.getStreamPosition() : null;
  const stream = streamName(options.getStreamIdentifier());
  return { stream, expected: expectedOf(options, position), events: [], bytes: 0 };
}

function refusalOf(node: Node, caller: Caller, batch: Batch, request: BatchAppendReq): Status | null {
  try {
    node.access.requireStream(caller.user, 'write', batch.stream, (name) => node.store.metadataOf(name));
    for (const message of request.getProposedMessagesList()) {
      const event = proposedEvent(message);
      batch.events.push(event);
      batch.bytes += sizeOf(event);
    }
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    if (error.isAccessDenied) return statusOf('AccessDenied', codes.Code.PERMISSION_DENIED, new shared.AccessDenied());
    const message = new shared.BadRequest();
    message.setMessage(error.details);
    return statusOf('BadRequest', codes.Code.INVALID_ARGUMENT, message);
  }
  if (batch.bytes <= node.maxAppendBytes) return null;
  const message = new shared.MaximumAppendSizeExceeded();
  message.setMaxappendsize(node.maxAppendBytes);
  return statusOf('MaximumAppendSizeExceeded', codes.Code.INVALID_ARGUMENT, message);
}

async function answer(node: Node, call: BatchCall, id: string, { stream, expected, outcome }: Answered): Promise<void> {
  const response = new streams.BatchAppendResp();
  response.setCorrelationId(uuid(id));
  response.setStreamIdentifier(streamIdentifier(stream));
  const done = await outcome;
  if ('kind' in done) {
    if (done.kind === 'written' && loseAnswer(node)) return;
    fill(response, done, stream, expected);
  } else {
    response.setError(done);
  }
  await send(node, call, response);
}

function fill(response: BatchAppendResp, outcome: Outcome, stream: string, expected: number): void {
  switch (outcome.kind) {
    case 'written':
      response.setSuccess(successOf(outcome.last, outcome.position));
      return;
    case 'wrong version':
      response.setError(wrongVersion(expected, outcome.current));
      return;
    case 'deleted': {
      const message = new shared.StreamDeleted();
      message.setStreamIdentifier(streamIdentifier(stream));
      response.setError(statusOf('StreamDeleted', codes.Code.NOT_FOUND, message));
      return;
    }
    case 'timeout':
      response.setError(statusOf('Timeout', codes.Code.DEADLINE_EXCEEDED, new shared.Timeout()));
  }
}

function successOf(last: number, position: number | null): BatchAppendResp.Success {
  const success = new streams.BatchAppendResp.Success();
  if (last === NO_STREAM) success.setNoStream(new empty.Empty());
  else success.setCurrentRevision(numberToWire(last));
  if (position === null) {
    success.setNoPosition(new empty.Empty());
  } else {
    const place = new shared.AllStreamPosition();
    place.setCommitPosition(String(position));
    place.setPreparePosition(String(position));
    success.setPosition(place);
  }
  return success;
}

function wrongVersion(expected: number, current: number): Status {
  const message = new shared.WrongExpectedVersion();
  if (expected === ANY) message.setExpectedAny(new empty.Empty());
  else if (expected === STREAM_EXISTS) message.setExpectedStreamExists(new empty.Empty());
  else if (expected === NO_STREAM) message.setExpectedNoStream(new empty.Empty());
  else message.setExpectedStreamPosition(String(expected));
  if (current === NO_STREAM) message.setCurrentNoStream(new empty.Empty());
  else message.setCurrentStreamRevision(String(current));
  return statusOf('WrongExpectedVersion', codes.Code.ALREADY_EXISTS, message);
}

function statusOf(name: string, code: Code, message: { serializeBinary(): Uint8Array }): Status {
  const details = new any.Any();
  details.pack(message.serializeBinary(), `event_store.client.${name}`);
  const status = new statuses.Status();
  status.setCode(code);
  status.setMessage(name);
  status.setDetails(details);
  return status;
}
