import { randomUUID } from 'node:crypto';
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { eitherOf, requireLeading, send, type Caller, type Node } from './calls.ts';
import { handlerFailed, invalidArgument, leftOut, streamDeleted } from './errors.ts';
import { DELETED } from './numbers.ts';
import type { NumberedEvent } from './streams.ts';
import { caughtUp, confirmation, readEvent, revisionOf, streamName, streamNotFound } from './wire.ts';

type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

/** How many events EventStoreDB reads at a time, and how far a live subscription may fall behind. */
const PAGE = 32;
const BACKWARDS = 1;

interface Reading {
  readonly stream: string;
  readonly hasStructuredIds: boolean;
  /** Null: the end of the stream. */
  readonly from: number | null;
}

/** Read: a stream forwards or backwards, or a subscription to one. A page at a time, and no faster than the client reads. */
export async function read(node: Node, call: ReadCall, caller: Caller): Promise<void> {
  const options = call.request.getOptions();
  const uuidOption = options?.getUuidOption();
  if (options === undefined) throw handlerFailed();
  if (uuidOption === undefined) throw invalidArgument(' `uuidOption` is a required argument of type UUIDOption');
  if (options.hasAll()) throw leftOut('reading $all');
  if (options.hasFilter()) throw invalidArgument('The combination of (Stream, Filter) is invalid.');
  const streamOptions = options.getStream();
  const stream = streamName(streamOptions?.getStreamIdentifier());
  node.access.requireStream(caller.user, 'read', stream, (name) => node.store.metadataOf(name));
  const reading: Reading = { stream, hasStructuredIds: !uuidOption.hasString(), from: startOf(streamOptions) };
  if (options.hasSubscription()) {
    const isFromStart = streamOptions?.hasStart() === true;
    return await subscribe(node, call, caller, { ...reading, from: isFromStart ? -1 : reading.from });
  }
  requireLeading(node, caller);
  const limit = Number(options.getCount());
  if (options.getReadDirection() === BACKWARDS) await readBackwards(node, call, reading, limit);
  else await readForwards(node, call, reading, limit);
}

function startOf(options: ReadReq.Options.StreamOptions | undefined): number | null {
  if (options?.hasStart() === true) return 0;
  if (options?.hasEnd() === true) return null;
  if (options?.hasRevision() !== true) throw handlerFailed();
  const revision = revisionOf(options.getRevision());
  return revision < 0 ? null : revision;
}

async function readForwards(node: Node, call: ReadCall, reading: Reading, limit: number): Promise<void> {
  // As EventStoreDB, whose reader takes no negative number to read on from.
  if (reading.from === null) throw handlerFailed();
  let left = limit;
  for (let from = reading.from; left > 0;) {
    const page = node.store.readForwards(reading.stream, from, Math.min(PAGE, limit));
    if (page.kind !== 'events') return await endOf(node, call, reading, page.kind);
    const events = page.events.slice(0, left);
    if (!(await sendAll(node, call, reading, events)) || page.isEnd) return;
    left -= events.length;
    from = page.next;
  }
}

async function readBackwards(node: Node, call: ReadCall, reading: Reading, limit: number): Promise<void> {
  let left = limit;
  for (let from = reading.from; left > 0;) {
    const page = node.store.readBackwards(reading.stream, from, Math.min(PAGE, limit));
    if (page.kind !== 'events') return await endOf(node, call, reading, page.kind);
    const events = page.events.slice(0, left);
    if (!(await sendAll(node, call, reading, events)) || page.isEnd) return;
    left -= events.length;
    from = page.next;
  }
}

async function endOf(node: Node, call: ReadCall, reading: Reading, kind: 'no stream' | 'deleted'): Promise<void> {
  if (kind === 'deleted') throw streamDeleted(reading.stream);
  await send(node, call, streamNotFound(reading.stream));
}

async function sendAll(
  node: Node,
  call: ReadCall,
  reading: Reading,
  events: readonly NumberedEvent[],
): Promise<boolean> {
  for (const event of events) {
    if (!(await send(node, call, readEvent(event, reading.hasStructuredIds)))) return false;
  }
  return true;
}

/**
 * Confirms, sends what stands behind `from`, says that it has caught up, then sends what comes. Whoever reads so slowly
 * that more than a page waits goes back to reading pages, and catches up again: nothing is kept for him meanwhile.
 */
async function subscribe(node: Node, call: ReadCall, caller: Caller, reading: Reading): Promise<void> {
  const { stream } = reading;
  if (node.store.lastOf(stream) === DELETED) throw streamDeleted(stream);
  let sent = reading.from ?? node.store.lastOf(stream);
  const unwatch = node.store.watch(stream, () => call.emit('more'));
  try {
    await send(node, call, confirmation(randomUUID()));
    requireLeading(node, caller);
    while (!call.cancelled) {
      sent = await catchUp(node, call, reading, sent);
      await send(node, call, caughtUp());
      sent = await live(node, call, reading, sent);
    }
  } finally {
    unwatch();
  }
}

/** Returns the number behind which the live events begin: what the stream's limits hide does not come any more. */
async function catchUp(node: Node, call: ReadCall, reading: Reading, after: number): Promise<number> {
  for (let from = after + 1; !call.cancelled;) {
    const page = node.store.readForwards(reading.stream, from, PAGE);
    if (page.kind === 'deleted') throw streamDeleted(reading.stream);
    if (page.kind === 'no stream') return Math.max(after, node.store.lastOf(reading.stream));
    await sendAll(node, call, reading, page.events);
    if (page.isEnd) return Math.max(after, page.last);
    from = page.next;
  }
  return after;
}

/** Returns the last event sent once it has fallen behind, or the caller has left. */
async function live(node: Node, call: ReadCall, reading: Reading, after: number): Promise<number> {
  let sent = after;
  while (!call.cancelled) {
    const events = node.store.liveEvents(reading.stream, sent + 1, PAGE + 1);
    if (events.length > PAGE) return sent;
    if (events.length === 0) {
      await eitherOf(call, 'more', 'cancelled');
      continue;
    }
    await sendAll(node, call, reading, events);
    sent = events.at(-1)?.number ?? sent;
    if (sent === DELETED) throw streamDeleted(reading.stream);
  }
  return sent;
}
