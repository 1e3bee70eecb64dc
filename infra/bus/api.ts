import { ErrorCode, NatsError, type Msg, type MsgHdrs } from 'nats';
import type { Bus } from './connect.ts';
import { BusError, BusErrorCode, ServerCode, hasServerCode } from './errors.ts';

/** JetStream's request API, as little of it as is used here. Answers are objects; errors carry the server's number. */
export type ApiAnswer = Readonly<Record<string, unknown>>;

const TIMEOUT_MS = 5000;

/** Throws BusError: BUS_DISCONNECTED, BUS_NO_ANSWER, JETSTREAM_AWAY, or JETSTREAM_REFUSED with the server's number. */
export async function jetStreamApi(bus: Bus, verb: string, body: object = {}): Promise<ApiAnswer> {
  const reply = await busRequest(bus, `$JS.API.${verb}`, Buffer.from(JSON.stringify(body)));
  return apiAnswer(reply.data, verb);
}

/** Publishes to a stream and resolves with the sequence once it is stored. */
export async function publishAcked(bus: Bus, subject: string, bytes: Uint8Array, headers?: MsgHdrs): Promise<number> {
  const reply = await busRequest(bus, subject, bytes, headers);
  return sequenceOf(apiAnswer(reply.data, subject), 'seq');
}

/** One request and its answer, with the client's many errors made into ours. */
export async function busRequest(bus: Bus, subject: string, bytes: Uint8Array, headers?: MsgHdrs): Promise<Msg> {
  if (!bus.isConnected()) throw new BusError(BusErrorCode.Disconnected, 'the bus is away');
  const lost = Promise.withResolvers<never>();
  const stopWatching = bus.onChange((connected) => {
    if (!connected)
      lost.reject(new BusError(BusErrorCode.Disconnected, `the bus went away before it answered ${subject}`));
  });
  const options = { timeout: TIMEOUT_MS };
  try {
    const answer = bus.connection.request(subject, bytes, headers === undefined ? options : { ...options, headers });
    return await Promise.race([answer, lost.promise]);
  } catch (error) {
    if (error instanceof BusError) throw error;
    if (error instanceof NatsError && error.code === ErrorCode.NoResponders) throw jetStreamAway(subject, error);
    throw new BusError(BusErrorCode.NoAnswer, `no answer on ${subject} within ${TIMEOUT_MS} ms`, { cause: error });
  } finally {
    stopWatching();
  }
}

/** The object in an answer; the server's error thrown. */
export function apiAnswer(data: Uint8Array, what: string): ApiAnswer {
  const answer = parseObject(data, what);
  const error = answer['error'];
  if (error === undefined) return answer;
  const { err_code: serverCode, description } = isObject(error) ? error : {};
  const options = typeof serverCode === 'number' ? { serverCode } : {};
  throw new BusError(
    BusErrorCode.JetStreamRefused,
    `${what}: ${typeof description === 'string' ? description : 'refused'}`,
    options,
  );
}

export function sequenceOf(answer: ApiAnswer, field: string): number {
  const value = answer[field];
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new BusError(BusErrorCode.Malformed, `an answer of JetStream has no number "${field}"`);
}

export function objectIn(answer: ApiAnswer, field: string): ApiAnswer {
  const value = answer[field];
  if (isObject(value)) return value;
  throw new BusError(BusErrorCode.Malformed, `an answer of JetStream has no object "${field}"`);
}

/** A time of the server's, in milliseconds as everywhere else. */
function timeIn(value: unknown): string {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw new BusError(BusErrorCode.Malformed, 'an answer of JetStream has no time');
  return new Date(ms).toISOString();
}

export interface StoredMessage {
  readonly sequence: number;
  readonly data: Uint8Array;
  /** The server's time of receipt, ISO 8601. */
  readonly storedAt: string;
}

/** A message out of a stream, asked of its leader, so that it is what was written last. Null: there is none. */
export async function getMessage(
  bus: Bus,
  stream: string,
  which:
    | { readonly seq: number }
    | { readonly last_by_subj: string }
    | { readonly seq: number; readonly next_by_subj: string },
): Promise<StoredMessage | null> {
  try {
    const message = objectIn(await jetStreamApi(bus, `STREAM.MSG.GET.${stream}`, which), 'message');
    const { data, time } = message;
    return {
      sequence: sequenceOf(message, 'seq'),
      data: Buffer.from(typeof data === 'string' ? data : '', 'base64'),
      storedAt: timeIn(time),
    };
  } catch (error) {
    if (hasServerCode(error, ServerCode.noMessageFound)) return null;
    throw error;
  }
}

/** The subjects of a stream that a filter lets through, asked of its leader: 100,000 at most, which is a server's page. */
export async function subjectsOf(bus: Bus, stream: string, filter: string): Promise<readonly string[]> {
  const info = await jetStreamApi(bus, `STREAM.INFO.${stream}`, { subjects_filter: filter });
  const { subjects } = objectIn(info, 'state');
  return isObject(subjects) ? Object.keys(subjects) : [];
}

/** What a stream's leader says of it; null when there is no such stream. */
export async function streamInfo(bus: Bus, stream: string): Promise<ApiAnswer | null> {
  try {
    return await jetStreamApi(bus, `STREAM.INFO.${stream}`);
  } catch (error) {
    if (hasServerCode(error, ServerCode.streamNotFound)) return null;
    throw error;
  }
}

export async function purgeSubject(bus: Bus, stream: string, subject: string): Promise<void> {
  await jetStreamApi(bus, `STREAM.PURGE.${stream}`, { filter: subject });
}

function jetStreamAway(subject: string, cause: unknown): BusError {
  const message = `nobody on the bus answers for ${subject}: JetStream is off, or has stopped for want of disk`;
  return new BusError(BusErrorCode.JetStreamAway, message, { cause });
}

function parseObject(data: Uint8Array, what: string): ApiAnswer {
  try {
    const value: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
    if (isObject(value)) return value;
  } catch (error) {
    throw new BusError(BusErrorCode.Malformed, `${what}: the answer is not JSON`, { cause: error });
  }
  throw new BusError(BusErrorCode.Malformed, `${what}: the answer is not an object`);
}

function isObject(value: unknown): value is ApiAnswer {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
