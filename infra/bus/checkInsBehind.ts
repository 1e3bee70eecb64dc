import { CHECKINS_STREAM } from '../names.ts';
import { getMessage, jetStreamApi, objectIn, sequenceOf } from './api.ts';
import { isReadUpTo, type CheckInMark } from './checkInMark.ts';
import type { Bus } from './connect.ts';
import { BusError, BusErrorCode } from './errors.ts';
import { orderedMessages, type OrderedOptions, type StreamMessage } from './ordered.ts';

/** A message among the check-ins, as it stands there: it may be none. */
export interface MarkedCheckIn extends StreamMessage {
  readonly mark: CheckInMark;
  /** So many before it had left the bus before they were read. */
  readonly missed: number;
}

interface Standing {
  readonly stream: string;
  readonly last: number;
  readonly isEmpty: boolean;
}

/** Times are in whole milliseconds, made from nanoseconds in two ways. */
const SAME_MS = 1;
const ATTEMPTS = 20;

/**
 * What stands among the check-ins behind a mark (null: everything), in order, up to the last one at the time of the call;
 * also in a stream that was made anew, or has lost its end. Throws BusError.
 */
export async function* checkInsBehind(
  bus: Bus,
  options: { readonly mark: CheckInMark | null; readonly signal: AbortSignal },
): AsyncGenerator<MarkedCheckIn> {
  const { mark, signal } = options;
  const standing = await standingOf(bus);
  const { stream, last, isEmpty } = standing;
  if (isEmpty) return;
  const goesOn = mark !== null && (await isStillThere(bus, mark, standing));
  let before = goesOn ? mark.sequence : null;
  const reading = { stream: CHECKINS_STREAM, upTo: last, signal, attempts: ATTEMPTS };
  for await (const message of orderedMessages(bus, { ...reading, start: startOf(mark, goesOn) })) {
    if (message.sequence > last) return;
    const at = { stream, sequence: message.sequence, receivedAt: message.storedAt };
    if (mark !== null && isReadUpTo(at, mark)) continue;
    const missed = before === null ? 0 : message.sequence - before - 1;
    before = message.sequence;
    yield { ...message, mark: at, missed };
  }
}

function startOf(mark: CheckInMark | null, goesOn: boolean): OrderedOptions['start'] {
  if (mark === null) return { kind: 'after', sequence: 0 };
  // By time only where sequences are of no use: a clock that was set back leads astray.
  return goesOn ? { kind: 'after', sequence: mark.sequence } : { kind: 'since', time: mark.receivedAt };
}

/** Whether what stands at that sequence is what was read there, or has left by its age. */
async function isStillThere(bus: Bus, mark: CheckInMark, { stream, last }: Standing): Promise<boolean> {
  if (mark.stream !== stream || mark.sequence > last) return false;
  const message = await getMessage(bus, CHECKINS_STREAM, { seq: mark.sequence });
  return message === null || Math.abs(Date.parse(message.storedAt) - Date.parse(mark.receivedAt)) <= SAME_MS;
}

async function standingOf(bus: Bus): Promise<Standing> {
  const info = await jetStreamApi(bus, `STREAM.INFO.${CHECKINS_STREAM}`);
  const state = objectIn(info, 'state');
  const stream = info['created'];
  if (typeof stream !== 'string') {
    throw new BusError(BusErrorCode.Malformed, `the bus does not tell when ${CHECKINS_STREAM} was made`);
  }
  return { stream, last: sequenceOf(state, 'last_seq'), isEmpty: sequenceOf(state, 'messages') === 0 };
}
