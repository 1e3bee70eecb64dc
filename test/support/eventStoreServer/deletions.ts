import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { DeleteReq, DeleteResp, TombstoneReq, TombstoneResp } from '@eventstore/db-client/generated/streams_pb.js';
import { requireLeading, type Caller, type Node } from './calls.ts';
import { handlerFailed, streamDeleted, timedOut, wrongExpectedVersion } from './errors.ts';
import { expectedOf, streamName } from './wire.ts';

/** Delete: the stream reads as not there until something is appended, which continues its numbers. */
export async function deleteStream(node: Node, request: DeleteReq, caller: Caller): Promise<DeleteResp> {
  const position = await carryOut(node, request.getOptions(), caller, false);
  const response = new streams.DeleteResp();
  if (position === null) {
    response.setNoPosition(new shared.Empty());
    return response;
  }
  const place = new streams.DeleteResp.Position();
  place.setCommitPosition(String(position));
  place.setPreparePosition(String(position));
  response.setPosition(place);
  return response;
}

/** Tombstone: the stream and its name end for good. */
export async function tombstone(node: Node, request: TombstoneReq, caller: Caller): Promise<TombstoneResp> {
  const position = await carryOut(node, request.getOptions(), caller, true);
  const response = new streams.TombstoneResp();
  if (position === null) {
    response.setNoPosition(new shared.Empty());
    return response;
  }
  const place = new streams.TombstoneResp.Position();
  place.setCommitPosition(String(position));
  place.setPreparePosition(String(position));
  response.setPosition(place);
  return response;
}

async function carryOut(
  node: Node,
  options: DeleteReq.Options | TombstoneReq.Options | undefined,
  caller: Caller,
  isForGood: boolean,
): Promise<number | null> {
  if (options === undefined) throw handlerFailed();
  const stream = streamName(options.getStreamIdentifier());
  const expected = expectedOf(options, options.hasRevision() ? options.getRevision() : null);
  node.access.requireStream(caller.user, 'delete', stream, (name) => node.store.metadataOf(name));
  requireLeading(node, caller);
  const outcome = await node.store.delete(stream, expected, isForGood);
  switch (outcome.kind) {
    case 'written':
      return outcome.position;
    case 'wrong version':
      throw wrongExpectedVersion(stream, expected, outcome.current);
    case 'deleted':
      throw streamDeleted(stream);
    case 'timeout':
      throw timedOut();
  }
}
