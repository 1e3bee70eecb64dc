import { headers } from 'nats';
import {
  CHECKINS_STREAM,
  CHECKINS_SUBJECTS,
  DESIRED_STREAM,
  DESIRED_SUBJECTS,
  logStream,
  logSubject,
} from '../names.ts';
import { jetStreamApi, objectIn, publishAcked } from './api.ts';
import { pauseUnlessAborted, type Bus } from './connect.ts';
import { BusError, BusErrorCode, ServerCode, hasServerCode, isJetStreamAway } from './errors.ts';

/**
 * Every stream and bucket, created here and nowhere else, and held to what is written here: a live configuration that
 * differs (somebody gave the log a limit, say) is an error that names the field.
 */
type StreamConfig = Readonly<Record<string, unknown>> & { readonly name: string };

const NANOS_PER_DAY = 86_400_000_000_000;
const CHECKINS_DAYS = 7;
const CHECKINS_BYTES = 4 * 1024 ** 3;
const CHECKINS_LEAST_BYTES = 64 * 1024 ** 2;
const ANSWER_TRIES = 40;
const ANSWER_PAUSE_MS = 50;

/** The stream of one event log: unlimited, on disk, nothing in it can be deleted. Account LOG. */
export async function ensureLogStream(bus: Bus, log: string, epoch: number, replicas: number): Promise<void> {
  await ensureStream(bus, {
    name: logStream(log, epoch),
    subjects: [logSubject(log)],
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
    num_replicas: replicas,
  });
}

/**
 * Resolves once the leader of a log answers on this connection: a cluster's other servers hear of a new stream a moment
 * after its maker does. Asks by a message that names another stream, which is always refused and never stored. Throws
 * BusError JETSTREAM_AWAY when nobody answers within two seconds.
 */
export async function untilLogAnswers(bus: Bus, log: string): Promise<void> {
  for (let left = ANSWER_TRIES; ; left -= 1) {
    const elsewhere = headers();
    elsewhere.set('Nats-Expected-Stream', 'NONE');
    try {
      await publishAcked(bus, logSubject(log), Buffer.from('{}'), elsewhere);
      return;
    } catch (error) {
      if (hasServerCode(error, ServerCode.otherStream)) return;
      if (!isJetStreamAway(error) || left <= 1) throw error;
    }
    await pauseUnlessAborted(ANSWER_PAUSE_MS);
  }
}

/**
 * Check-ins of all agents: kept 7 days and at most 4 GiB, oldest out first. A server with less room gets less, down to
 * 64 MiB. Account APP.
 */
export async function ensureCheckIns(bus: Bus, replicas: number): Promise<void> {
  const config = {
    name: CHECKINS_STREAM,
    subjects: [CHECKINS_SUBJECTS],
    storage: 'file',
    retention: 'limits',
    discard: 'old',
    max_age: CHECKINS_DAYS * NANOS_PER_DAY,
    allow_direct: true,
    num_replicas: replicas,
    ...(replicas === 1 && knowsPersistMode(bus) ? { persist_mode: 'async' } : {}),
  };
  for (let bytes = CHECKINS_BYTES; ; bytes /= 2) {
    try {
      await ensureStream(bus, config, { max_bytes: bytes });
      return;
    } catch (error) {
      const noRoom = hasServerCode(error, ServerCode.insufficientStorage, ServerCode.insufficientResources);
      if (!noRoom || bytes / 2 < CHECKINS_LEAST_BYTES) throw error;
    }
  }
}

/** Since 2.12; before, a server ignores the field and the comparison would find it missing. */
function knowsPersistMode(bus: Bus): boolean {
  const [major = 0, minor = 0] = (bus.connection.info?.version ?? '').split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 12);
}

/** The key-value bucket of desired documents: one value per agent. Account APP. */
export async function ensureDesired(bus: Bus, replicas: number): Promise<void> {
  await ensureStream(bus, {
    name: DESIRED_STREAM,
    subjects: [DESIRED_SUBJECTS],
    storage: 'file',
    retention: 'limits',
    discard: 'new',
    max_msgs: -1,
    max_bytes: -1,
    max_age: 0,
    max_msgs_per_subject: 1,
    allow_direct: true,
    allow_rollup_hdrs: true,
    deny_delete: true,
    deny_purge: false,
    num_replicas: replicas,
  });
}

/** `initial` is asked for when the stream is made and is not compared afterwards. */
async function ensureStream(bus: Bus, wanted: StreamConfig, initial: object = {}): Promise<void> {
  const live = (await readConfig(bus, wanted.name)) ?? (await createStream(bus, wanted, initial));
  for (const [field, value] of Object.entries(wanted)) {
    // The server leaves out of its answer what is false.
    const actual = live[field] ?? (value === false ? false : undefined);
    if (JSON.stringify(actual) === JSON.stringify(value)) continue;
    const message =
      `stream ${wanted.name} has ${field} = ${JSON.stringify(actual)}, but ${JSON.stringify(value)} is needed: ` +
      'somebody changed it or made it otherwise; set it back with the nats command line';
    throw new BusError(BusErrorCode.StreamDiffers, message);
  }
}

async function readConfig(bus: Bus, name: string): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    return objectIn(await jetStreamApi(bus, `STREAM.INFO.${name}`), 'config');
  } catch (error) {
    if (hasServerCode(error, ServerCode.streamNotFound)) return null;
    throw error;
  }
}

async function createStream(
  bus: Bus,
  wanted: StreamConfig,
  initial: object,
): Promise<Readonly<Record<string, unknown>>> {
  return objectIn(await jetStreamApi(bus, `STREAM.CREATE.${wanted.name}`, { ...wanted, ...initial }), 'config');
}
