import type { Msg } from 'nats';
import { busRequest } from './api.ts';
import type { Bus } from './connect.ts';
import { BusError, BusErrorCode } from './errors.ts';
import { openMailbox } from './mailbox.ts';

/**
 * The last message on a subject of a stream that allows direct gets, null when there is none. Any server that has a copy
 * answers, which may lag behind the leader: for showing, not for compare-and-set. Throws BusError.
 */
export async function directGet(bus: Bus, stream: string, subject: string): Promise<Uint8Array | null> {
  const request = `$JS.API.DIRECT.GET.${stream}.${subject}`;
  const reply = await busRequest(bus, request, new Uint8Array());
  const status = reply.headers?.code ?? 0;
  if (status === 404) return null;
  if (status === 0) return reply.data;
  const message = `${request}: ${status} ${reply.headers?.description ?? ''}`;
  throw new BusError(BusErrorCode.JetStreamRefused, message);
}

/** A message of a stream that came with others. */
interface Got {
  readonly sequence: number;
  readonly data: Uint8Array;
}

const SILENCE_MS = 5000;
const NOTHING = 404;
const END = 204;
const NOBODY = 503;

/**
 * The messages of a stream from a sequence on, in order, of all `subjects` or of those that match, at most `batch` of them and `max_bytes` together, but one if there is
 * one. As with `directGet` any copy answers, which may not have the newest yet. Throws BusError.
 */
export async function directGetMany(
  bus: Bus,
  stream: string,
  range: { readonly seq: number; readonly batch: number; readonly max_bytes: number },
  subjects = '>',
): Promise<readonly Got[]> {
  const request = `$JS.API.DIRECT.GET.${stream}`;
  if (!bus.isConnected()) throw new BusError(BusErrorCode.Disconnected, 'the bus is away');
  const mailbox = openMailbox(bus, new AbortController().signal, SILENCE_MS);
  const got: Got[] = [];
  try {
    const asked = Buffer.from(JSON.stringify({ ...range, next_by_subj: subjects }));
    bus.connection.publish(request, asked, { reply: mailbox.inbox });
    for (let message = await mailbox.next(); message !== null; message = await mailbox.next()) {
      const status = message.headers?.code ?? 0;
      if (status === END || status === NOTHING) break;
      if (status === NOBODY) throw new BusError(BusErrorCode.JetStreamAway, `nobody on the bus answers for ${stream}`);
      if (status !== 0) {
        const why = `${request}: ${status} ${message.headers?.description ?? ''}`;
        throw new BusError(BusErrorCode.JetStreamRefused, why);
      }
      got.push({ sequence: sequenceIn(message, stream), data: message.data });
    }
    return got;
  } finally {
    mailbox.close();
  }
}

function sequenceIn({ headers }: Msg, stream: string): number {
  const sequence = Number(headers?.get('Nats-Sequence'));
  if (Number.isSafeInteger(sequence) && sequence > 0) return sequence;
  throw new BusError(BusErrorCode.Malformed, `a message of ${stream} came without its sequence`);
}
