import { once, type EventEmitter } from 'node:events';
import type {
  Metadata,
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  ServerDuplexStream,
  ServerReadableStream,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js';
import type { Access, User } from './access.ts';
import { handlerFailed, leftOut, notLeader, ServerError } from './errors.ts';
import type { PulledLevers } from './levers.ts';
import type { Store } from './store.ts';

/** What every handler works with. */
export interface Node {
  readonly store: Store;
  readonly access: Access;
  readonly levers: PulledLevers;
  readonly maxAppendBytes: number;
  readonly cutConnections: () => void;
  /** The most messages that ever waited in this process for one slow reader. */
  mostBuffered: number;
}

export interface Caller {
  readonly user: User | null;
  /** The call must be answered by the leader. */
  readonly requiresLeader: boolean;
}

/** What calls of all four kinds have in common. */
interface AnyCall {
  readonly cancelled: boolean;
  readonly metadata: Metadata;
  getPath(): string;
}

/** Lets the call in, or throws its refusal; while the server hangs it stands here. */
export async function admit(node: Node, call: AnyCall): Promise<Caller> {
  await node.levers.released();
  const user = node.access.authenticate(headerOf(call, 'authorization'));
  const refusal = node.levers.takeRefusal(call.getPath().split('/').at(-1) ?? '');
  if (refusal !== null) throw new ServerError(refusal.code, refusal.details, refusal.trailers);
  return { user, requiresLeader: headerOf(call, 'requires-leader')?.toLowerCase() === 'true' };
}

/** A follower sends callers that ask for the leader there; a real one serves the others itself, which this one cannot. */
export function requireLeading(node: Node, caller: Caller): void {
  const { leader } = node.levers.now;
  if (leader === null) return;
  throw caller.requiresLeader
    ? notLeader(leader === 'unknown' ? null : leader)
    : leftOut('replication, so that a follower has nothing to say');
}

function headerOf(call: AnyCall, name: string): string | undefined {
  return call.metadata.get(name)[0]?.toString();
}

/** Anything unforeseen is told as .NET tells it, and in full on this process's standard error. */
function refusalOf(error: unknown): ServerError {
  if (error instanceof ServerError) return error;
  console.error(error);
  return handlerFailed();
}

/** A caller that left while the server hung asks for nothing any more. */
export function unary<Request, Response>(
  node: Node,
  answer: (node: Node, request: Request, caller: Caller) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const work = async (): Promise<Response | null> => {
      const caller = await admit(node, call);
      return call.cancelled ? null : await answer(node, call.request, caller);
    };
    void respond(call, callback, work);
  };
}

/** `answer` resolves with null when nothing is ever to be answered. */
export function clientStreaming<Request, Response>(
  node: Node,
  answer: (node: Node, call: ServerReadableStream<Request, Response>, caller: Caller) => Promise<Response | null>,
): handleClientStreamingCall<Request, Response> {
  return (call, callback) => {
    void respond(call, callback, async () => await answer(node, call, await admit(node, call)));
  };
}

async function respond<Response>(
  call: AnyCall,
  callback: sendUnaryData<Response>,
  work: () => Promise<Response | null>,
): Promise<void> {
  let answered: Response | null;
  try {
    answered = await work();
  } catch (error) {
    if (!call.cancelled) callback(refusalOf(error));
    return;
  }
  if (answered !== null) callback(null, answered);
}

export function serverStreaming<Request, Response>(
  node: Node,
  answer: (node: Node, call: ServerWritableStream<Request, Response>, caller: Caller) => Promise<void>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const work = async (): Promise<void> => {
      await answer(node, call, await admit(node, call));
      call.end();
    };
    work().catch((error: unknown) => endWith(call, error));
  };
}

export function bidirectional<Request, Response>(
  node: Node,
  answer: (node: Node, call: ServerDuplexStream<Request, Response>, caller: Caller) => Promise<void>,
): handleBidiStreamingCall<Request, Response> {
  return (call) => {
    const work = async (): Promise<void> => {
      await answer(node, call, await admit(node, call));
      call.end();
    };
    work().catch((error: unknown) => endWith(call, error));
  };
}

function endWith<Request, Response>(
  call: ServerWritableStream<Request, Response> | ServerDuplexStream<Request, Response>,
  error: unknown,
): void {
  if (!call.cancelled) call.emit('error', refusalOf(error));
}

/** Sends one message and waits for a reader that does not keep up. False once the reader is gone. */
export async function send<Request, Response>(
  node: Node,
  call: ServerWritableStream<Request, Response> | ServerDuplexStream<Request, Response>,
  message: Response,
): Promise<boolean> {
  if (node.levers.now.hangs) await node.levers.released();
  if (call.cancelled) return false;
  const hasRoom = call.write(message);
  node.mostBuffered = Math.max(node.mostBuffered, call.writableLength);
  if (!hasRoom) await eitherOf(call, 'drain', 'cancelled');
  return !call.cancelled;
}

/** Resolves when one of the two events comes; leaves no listener behind. */
export async function eitherOf(emitter: EventEmitter, first: string, second: string): Promise<void> {
  const done = new AbortController();
  try {
    await Promise.race([first, second].map((event) => once(emitter, event, { signal: done.signal })));
  } finally {
    done.abort();
  }
}
