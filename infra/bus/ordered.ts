import type { Msg } from 'nats';
import { jetStreamApi, objectIn, sequenceOf, type ApiAnswer } from './api.ts';
import { pauseUnlessAborted, type Bus } from './connect.ts';
import { BusError, BusErrorCode, ServerCode, hasServerCode } from './errors.ts';
import { openMailbox, type Mailbox } from './mailbox.ts';

/** A message of a stream, in the order of the stream. `storedAt` is the server's time of receipt, ISO 8601. */
export interface StreamMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly storedAt: string;
}

type Start =
  | { readonly kind: 'after'; readonly sequence: number }
  | { readonly kind: 'since'; readonly time: string }
  | { readonly kind: 'last-per-subject' };

export interface OrderedOptions {
  readonly stream: string;
  readonly start: Start;
  readonly signal: AbortSignal;
  /**
   * Ends after this sequence; without it, waits for more for ever. Behind a sequence (`after`) it must be one that the
   * leader has told of and that nothing deletes: a copy that does not have it yet is waited for. Since a time, it ends at
   * once when the copy that answers has nothing.
   */
  readonly upTo?: number;
  /**
   * Where to go on after a break: behind the last message, without gap or duplicate (the default), or as at the start,
   * which also finds its way in a stream that lost its end in a crash and counts on from before.
   */
  readonly resume?: 'behind-last' | 'as-at-start';
  /** After this many failures in a row the last one is thrown; without it, tries for ever. */
  readonly attempts?: number;
}

const RETRY_MS = 250;
const HEARTBEAT_MS = 2000;
const INACTIVE_MS = 30_000;
const NANOS_PER_MS = 1_000_000;

/**
 * The messages of a stream in order, without gap or duplicate, through lost connections and restarted servers. Every
 * "round" is one ephemeral push consumer with flow control; when it breaks the next round goes on as `resume` says. Throws JETSTREAM_REFUSED when there is no such stream, and
 * BUS_DISCONNECTED once the connection has been closed for good.
 */
export async function* orderedMessages(bus: Bus, options: OrderedOptions): AsyncGenerator<StreamMessage> {
  const { signal, upTo = Infinity } = options;
  let start = options.start;
  let failures = 0;
  if (start.kind === 'after' && start.sequence >= upTo) return;
  while (!signal.aborted) {
    try {
      for await (const message of round(bus, options, start)) {
        if (message === 'nothing-left') return;
        if (options.resume !== 'as-at-start') start = { kind: 'after', sequence: message.sequence };
        failures = 0;
        yield message;
        if (message.sequence >= upTo) return;
      }
    } catch (error) {
      failures += 1;
      const hopeless = hasServerCode(error, ServerCode.streamNotFound) || bus.connection.isClosed();
      if (!(error instanceof BusError) || hopeless || failures >= (options.attempts ?? Infinity)) throw error;
      await pauseUnlessAborted(RETRY_MS, signal);
    }
  }
}

/**
 * One consumer, until it breaks (BusError) or the signal aborts (returns). It is removed at its end: a stream has room for a
 * thousand, and the server itself removes one only when nobody has listened for long, as after a lost connection.
 */
async function* round(bus: Bus, options: OrderedOptions, start: Start): AsyncGenerator<StreamMessage | 'nothing-left'> {
  const { stream } = options;
  const mailbox = openMailbox(bus, options.signal, HEARTBEAT_MS * 2);
  let consumer: string | null = null;
  try {
    const body = { stream_name: stream, config: consumerConfig(start, mailbox.inbox) };
    const created = await jetStreamApi(bus, `CONSUMER.CREATE.${stream}`, body);
    consumer = String(created['name']);
    // A cluster may ask a copy that is behind its leader, so nothing there proves nothing when we know of more.
    const mayBeEmpty = options.upTo !== undefined && options.start.kind !== 'after';
    if (mayBeEmpty && waitingAtStart(created) === 0) yield 'nothing-left';
    yield* inSequence(bus, stream, mailbox);
  } finally {
    mailbox.close();
    // Nobody waits for the answer.
    if (consumer !== null && bus.isConnected()) bus.connection.publish(`$JS.API.CONSUMER.DELETE.${stream}.${consumer}`);
  }
}

async function* inSequence(bus: Bus, stream: string, mailbox: Mailbox): AsyncGenerator<StreamMessage> {
  let delivered = 0;
  for (;;) {
    const message = await mailbox.next();
    if (message === null) return;
    if (message.headers?.code === 100) {
      answerFlowControl(bus, message);
      continue;
    }
    const place = parsePlace(message.reply ?? '');
    if (place.consumerSequence !== delivered + 1) {
      throw new BusError(BusErrorCode.NoAnswer, `messages of ${stream} were lost on the way`);
    }
    delivered += 1;
    yield { sequence: place.sequence, storedAt: place.storedAt, subject: message.subject, data: message.data };
  }
}

/** Messages that the new consumer found, whether or not it has already begun to send them. */
function waitingAtStart(created: ApiAnswer): number {
  return sequenceOf(created, 'num_pending') + sequenceOf(objectIn(created, 'delivered'), 'consumer_seq');
}

function consumerConfig(start: Start, inbox: string): object {
  return {
    ...startConfig(start),
    deliver_subject: inbox,
    ack_policy: 'none',
    max_deliver: 1,
    replay_policy: 'instant',
    flow_control: true,
    idle_heartbeat: HEARTBEAT_MS * NANOS_PER_MS,
    inactive_threshold: INACTIVE_MS * NANOS_PER_MS,
    num_replicas: 1,
    mem_storage: true,
  };
}

function startConfig(start: Start): object {
  switch (start.kind) {
    case 'after':
      return { deliver_policy: 'by_start_sequence', opt_start_seq: start.sequence + 1 };
    case 'since':
      return { deliver_policy: 'by_start_time', opt_start_time: start.time };
    case 'last-per-subject':
      // The server wants a filter with this policy, even one that lets everything through.
      return { deliver_policy: 'last_per_subject', filter_subject: '>' };
  }
}

/** The server goes on only once it knows how far we are; a heartbeat repeats a question that was lost. */
function answerFlowControl(bus: Bus, message: Msg): void {
  const subject = message.reply ?? message.headers?.get('Nats-Consumer-Stalled') ?? '';
  if (subject !== '' && bus.isConnected()) bus.connection.publish(subject);
}

/** From `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<deliveries>.<sequence>.<consumer sequence>.<nanoseconds>.<pending>`. */
export function parsePlace(reply: string): {
  readonly sequence: number;
  readonly consumerSequence: number;
  readonly storedAt: string;
} {
  const tokens = reply.split('.');
  const first = tokens.length >= 11 ? 7 : 5;
  const [sequence, consumerSequence, nanoseconds] = tokens.slice(first, first + 3).map(Number);
  if (tokens[0] !== '$JS' || !isWhole(sequence) || !isWhole(consumerSequence) || !isWhole(nanoseconds)) {
    throw new BusError(BusErrorCode.Malformed, `"${reply}" does not tell a message's place in its stream`);
  }
  return { sequence, consumerSequence, storedAt: new Date(nanoseconds / NANOS_PER_MS).toISOString() };
}

function isWhole(value: number | undefined): value is number {
  return value !== undefined && Number.isInteger(value);
}
