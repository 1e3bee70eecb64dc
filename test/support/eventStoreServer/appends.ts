import type { ServerReadableStream } from '@grpc/grpc-js';
import type { AppendReq, AppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import { requireLeading, type Caller, type Node } from './calls.ts';
import { handlerFailed, maximumAppendSizeExceeded, streamDeleted, timedOut } from './errors.ts';
import type { Outcome } from './store.ts';
import type { ProposedEvent } from './streams.ts';
import { appended, appendedWrong, expectedOf, proposedEvent, sizeOf, streamName } from './wire.ts';

type AppendCall = ServerReadableStream<AppendReq, AppendResp>;

/** Append: the options first, then the events, written together once the client has sent all. */
export async function append(node: Node, call: AppendCall, caller: Caller): Promise<AppendResp | null> {
  const request = await requestOf(node, call, caller);
  if (request === null) return null;
  requireLeading(node, caller);
  const { stream, expected, events } = request;
  const outcome = await node.store.append(stream, expected, events);
  if (outcome.kind === 'written' && loseAnswer(node)) return null;
  return answerTo(outcome, stream, expected);
}

interface AppendRequest {
  readonly stream: string;
  readonly expected: number;
  readonly events: readonly ProposedEvent[];
}

/** Null when the client left before it had sent all: nothing is written then. */
async function requestOf(node: Node, call: AppendCall, caller: Caller): Promise<AppendRequest | null> {
  let head: { readonly stream: string; readonly expected: number } | undefined;
  const events: ProposedEvent[] = [];
  let bytes = 0;
  try {
    for await (const message of call as AsyncIterable<AppendReq>) {
      if (head === undefined) {
        head = headOf(message);
        node.access.requireStream(caller.user, 'write', head.stream, (name) => node.store.metadataOf(name));
        continue;
      }
      const proposed = message.getProposedMessage();
      if (proposed === undefined) throw handlerFailed();
      const event = proposedEvent(proposed);
      bytes += sizeOf(event);
      if (bytes > node.maxAppendBytes) throw maximumAppendSizeExceeded(node.maxAppendBytes);
      events.push(event);
    }
  } catch (error) {
    if (call.cancelled) return null;
    throw error;
  }
  if (call.cancelled) return null;
  if (head === undefined) throw handlerFailed();
  return { ...head, events };
}

function headOf(message: AppendReq): { readonly stream: string; readonly expected: number } {
  const options = message.getOptions();
  if (options === undefined) throw handlerFailed();
  const revision = options.hasRevision() ? options.getRevision() : null;
  return { stream: streamName(options.getStreamIdentifier()), expected: expectedOf(options, revision) };
}

function answerTo(outcome: Outcome, stream: string, expected: number): AppendResp {
  switch (outcome.kind) {
    case 'written':
      return appended(outcome.last, outcome.position);
    case 'wrong version':
      return appendedWrong(expected, outcome.current);
    case 'deleted':
      throw streamDeleted(stream);
    case 'timeout':
      throw timedOut();
  }
}

/** Whether a test wants this answer, to what has been written, to be lost. */
export function loseAnswer(node: Node): boolean {
  const how = node.levers.takeLostAnswer();
  if (how === 'kill') process.kill(process.pid, 'SIGKILL');
  if (how === 'cut') node.cutConnections();
  return how !== null;
}
