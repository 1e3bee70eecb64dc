import { headers } from 'nats';
import { logEpochOf, logStream, logSubject, sealedSubject, sealedSubjects } from '../names.ts';
import { jetStreamApi, objectIn, publishAcked, sequenceOf, streamInfo, type ApiAnswer } from './api.ts';
import { pauseUnlessAborted, type Bus } from './connect.ts';
import { BusError, BusErrorCode, ServerCode, hasServerCode, isJetStreamAway } from './errors.ts';
import { assertConfig, type StreamConfig } from './streams.ts';

/**
 * The streams of event logs, one per epoch: unlimited, on disk, nothing in them can be deleted. Account LOG. The log's
 * literal subject belongs to the newest one. An epoch ends when its stream is sealed: the server then takes nothing into
 * it any more, and its subject is free for the next one. Every step may be taken twice, and by several at a time.
 */
export interface Epoch {
  /** Counts from 1. */
  readonly number: number;
  readonly stream: string;
  /** The version before its first commit: a commit's version is this and the sequence of its message. */
  readonly base: number;
  /** The version of its last commit once it is sealed; null while it is written to. */
  readonly end: number | null;
}

export interface LogPlace {
  readonly bus: Bus;
  readonly log: string;
  /** Copies of every epoch on a cluster; a single server has 1. */
  readonly replicas: number;
}

/** In what a stream says of itself, since an epoch that nothing was written to yet has no commit that could tell. */
const BASE = 'muster-base';
const ANSWER_TRIES = 40;
const ANSWER_PAUSE_MS = 50;

/** The epochs that are there, the oldest first. Throws BusError STREAM_DIFFERS, naming the stream and the field. */
export async function listEpochs({ bus, log, replicas }: LogPlace): Promise<readonly Epoch[]> {
  const names = new Set<string>();
  // In this order: an epoch that is sealed in between is found by one of the two.
  for (const subject of [logSubject(log), sealedSubjects(log)]) {
    const { streams } = await jetStreamApi(bus, 'STREAM.NAMES', { subject });
    for (const name of Array.isArray(streams) ? streams : []) names.add(String(name));
  }
  const epochs: Epoch[] = [];
  for (const name of names) {
    const number = logEpochOf(log, name);
    const info = number === null ? null : await streamInfo(bus, name);
    if (number !== null && info !== null) epochs.push(checkedEpoch({ log, number, replicas, info }));
  }
  return epochs.toSorted((a, b) => a.number - b.number);
}

/** Makes the stream of an epoch that begins behind version `base`. */
export async function makeEpoch({ bus, log, replicas }: LogPlace, number: number, base: number): Promise<void> {
  const name = logStream(log, number);
  const metadata = number === 1 ? {} : { metadata: { [BASE]: String(base) } };
  try {
    await jetStreamApi(bus, `STREAM.CREATE.${name}`, {
      ...configOf({ log, number, replicas, sealed: false }),
      ...metadata,
    });
  } catch (error) {
    // It is there, made otherwise: whoever lists it next is told in what it differs.
    if (!hasServerCode(error, ServerCode.streamNameInUse)) throw error;
  }
}

/** Ends an epoch for good: in one step nothing more goes into its stream, and the log's subject is not its any more. */
export async function sealEpoch({ bus, log }: LogPlace, { stream, number }: Epoch): Promise<void> {
  const info = await streamInfo(bus, stream);
  if (info === null) return;
  const config = objectIn(info, 'config');
  if (config['sealed'] === true) return;
  const sealed = { ...config, subjects: [sealedSubject(log, number)], sealed: true };
  await jetStreamApi(bus, `STREAM.UPDATE.${stream}`, sealed);
}

/**
 * Resolves once the leader of an epoch answers on this connection: a cluster's other servers hear of a new stream a moment
 * after its maker does. Asks by a message behind an impossible sequence, which is always refused and never stored. Throws
 * BusError JETSTREAM_AWAY when nobody answers within two seconds.
 */
export async function untilEpochAnswers({ bus, log }: LogPlace, { stream }: Epoch): Promise<void> {
  for (let left = ANSWER_TRIES; ; left -= 1) {
    const impossible = headers();
    impossible.set('Nats-Expected-Stream', stream);
    impossible.set('Nats-Expected-Last-Subject-Sequence', String(Number.MAX_SAFE_INTEGER));
    try {
      await publishAcked(bus, logSubject(log), Buffer.from('{}'), impossible);
      throw new BusError(BusErrorCode.Malformed, `${stream} took a message behind a sequence that it does not have`);
    } catch (error) {
      if (hasServerCode(error, ServerCode.wrongLastSequence, ServerCode.wrongLastSequenceInFlight)) return;
      const early = isJetStreamAway(error) || hasServerCode(error, ...NOT_THIS_STREAM);
      if (!early || left <= 1) throw error;
    }
    await pauseUnlessAborted(ANSWER_PAUSE_MS);
  }
}

/** The log's subject is another stream's, or is just leaving this one: nothing was stored here. */
export const NOT_THIS_STREAM: readonly number[] = [ServerCode.otherStream, ServerCode.streamSealed];

/** What a stream's leader says of it; null when there is no such stream. */
export async function streamState(
  bus: Bus,
  stream: string,
): Promise<{ readonly sealed: boolean; readonly lastSequence: number } | null> {
  const info = await streamInfo(bus, stream);
  if (info === null) return null;
  return {
    sealed: objectIn(info, 'config')['sealed'] === true,
    lastSequence: sequenceOf(objectIn(info, 'state'), 'last_seq'),
  };
}

interface Found {
  readonly log: string;
  readonly number: number;
  readonly replicas: number;
  readonly info: ApiAnswer;
}

function checkedEpoch({ log, number, replicas, info }: Found): Epoch {
  const live = objectIn(info, 'config');
  const sealed = live['sealed'] === true;
  const wanted = configOf({ log, number, replicas, sealed });
  assertConfig(wanted, live);
  const base = baseOf(wanted.name, number, live);
  const end = sealed ? base + sequenceOf(objectIn(info, 'state'), 'last_seq') : null;
  return { number, stream: wanted.name, base, end };
}

function baseOf(stream: string, number: number, live: ApiAnswer): number {
  if (number === 1) return 0;
  const text = live['metadata'] === undefined ? '' : String(objectIn(live, 'metadata')[BASE]);
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const message = `stream ${stream} does not say in its metadata, as ${BASE}, behind which version its epoch begins`;
  throw new BusError(BusErrorCode.StreamDiffers, message);
}

function configOf({ log, number, replicas, sealed }: Omit<Found, 'info'> & { readonly sealed: boolean }): StreamConfig {
  return {
    name: logStream(log, number),
    subjects: [sealed ? sealedSubject(log, number) : logSubject(log)],
    storage: 'file',
    retention: 'limits',
    discard: 'new',
    max_msgs: -1,
    max_bytes: -1,
    max_age: 0,
    max_msgs_per_subject: -1,
    max_msg_size: -1,
    max_consumers: -1,
    deny_delete: true,
    deny_purge: true,
    sealed,
    num_replicas: replicas,
  };
}
