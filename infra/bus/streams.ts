import {
  CHECKINS_STREAM,
  CHECKINS_SUBJECTS,
  DESIRED_STREAM,
  DESIRED_SUBJECTS,
  ROLLUPS_STREAM,
  ROLLUPS_SUBJECTS,
  SNAPSHOTS_STREAM,
  SNAPSHOT_DESCRIPTIONS,
  SNAPSHOT_PARTS,
  LEASES_STREAM,
  LEASES_SUBJECTS,
  SECRETS_STREAM,
  SECRETS_SUBJECTS,
  feedStream,
  feedSubjects,
} from '../names.ts';
import { jetStreamApi, objectIn, streamInfo } from './api.ts';
import type { Bus } from './connect.ts';
import { BusError, BusErrorCode, ServerCode, hasServerCode } from './errors.ts';

/**
 * Every stream and bucket, created here and nowhere else (those of the logs, which come in epochs, in logStreams.ts), and
 * held to what is written here: a live configuration that differs (somebody gave the log a limit, say) is an error that
 * names the field.
 */
export type StreamConfig = Readonly<Record<string, unknown>> & { readonly name: string };

const NANOS_PER_DAY = 86_400_000_000_000;
/** How long a check-in is kept. */
export const CHECKINS_DAYS = 7;
const CHECKINS_BYTES = 4 * 1024 ** 3;
const CHECKINS_LEAST_BYTES = 64 * 1024 ** 2;
/** The longest kept history is 400 days, in chunks of 10 days; the shorter ones leave by a time to live of their own. */
const ROLLUPS_DAYS = 411;
const ROLLUPS_BYTES = 8 * 1024 ** 3;
const ROLLUPS_LEAST_BYTES = 64 * 1024 ** 2;
/** How long an event stands in its feed. */
export const FEED_DAYS = 30;
const FEED_BYTES = 2 * 1024 ** 3;
const FEED_LEAST_BYTES = 8 * 1024 ** 2;
/** A secret with what encryption adds, and its headers. */
const SECRET_BYTES = 16 * 1024;

/**
 * Check-ins of all agents: kept 7 days and at most 4 GiB, oldest out first. A server with less room gets less, down to
 * 64 MiB. They are not acknowledged: the server would send that to whatever subject an agent names, another agent's check-ins
 * for example. Account APP.
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
    no_ack: true,
    num_replicas: replicas,
    ...(replicas === 1 && knowsPersistMode(bus) ? { persist_mode: 'async' } : {}),
  };
  await endAcknowledging(bus, CHECKINS_STREAM);
  await ensureWithRoom(bus, config, CHECKINS_BYTES, CHECKINS_LEAST_BYTES);
}

/**
 * The utilization history: one message per agent, width of bucket and chunk, the last one counts; and beside it capacity and
 * allocated. At most 8 GiB, oldest out first; a server with less room gets less, down to 64 MiB. Account APP.
 */
export async function ensureRollups(bus: Bus, replicas: number): Promise<void> {
  const config = {
    name: ROLLUPS_STREAM,
    subjects: [ROLLUPS_SUBJECTS],
    storage: 'file',
    retention: 'limits',
    discard: 'old',
    max_age: ROLLUPS_DAYS * NANOS_PER_DAY,
    max_msgs_per_subject: 1,
    allow_msg_ttl: true,
    allow_direct: true,
    num_replicas: replicas,
  };
  await ensureWithRoom(bus, config, ROLLUPS_BYTES, ROLLUPS_LEAST_BYTES);
}

/**
 * The feed of one log: one message per event, kept 30 days and at most 2 GiB, oldest out first; a server with less room
 * gets less, down to 8 MiB. Single messages cannot be deleted from it: whoever wants it written anew deletes the stream.
 * What a crash cuts off at its end is written again from the log. Account APP.
 */
export function feedConfig(bus: Bus, log: string, replicas: number): StreamConfig {
  return {
    name: feedStream(log),
    subjects: [feedSubjects(log)],
    storage: 'file',
    retention: 'limits',
    discard: 'old',
    max_age: FEED_DAYS * NANOS_PER_DAY,
    deny_delete: true,
    deny_purge: true,
    allow_direct: true,
    num_replicas: replicas,
    ...(replicas === 1 && knowsPersistMode(bus) ? { persist_mode: 'async' } : {}),
  };
}

/** Makes the stream of a feed, unless somebody else just has; the first message will have this sequence. */
export async function makeFeed(bus: Bus, config: StreamConfig, firstSequence: number): Promise<void> {
  await ensureWithRoom(bus, config, FEED_BYTES, FEED_LEAST_BYTES, { first_seq: firstSequence });
}

/**
 * A server that has not so much room to promise is asked for half as much, again and again, down to the least. Each promise
 * is one byte short of round, so that together they never fill a round limit to its last byte: then the server would make
 * no other stream any more, not even a log, to which nothing is promised.
 */
async function ensureWithRoom(
  bus: Bus,
  config: StreamConfig,
  most: number,
  least: number,
  initial: object = {},
): Promise<void> {
  for (let bytes = most; ; bytes /= 2) {
    try {
      await ensureStream(bus, config, { ...initial, max_bytes: bytes - 1 });
      return;
    } catch (error) {
      const noRoom = hasServerCode(error, ServerCode.insufficientStorage, ServerCode.insufficientResources);
      if (!noRoom || bytes / 2 < least) throw error;
    }
  }
}

/** Since 2.12; before, a server ignores the field and the comparison would find it missing. */
function knowsPersistMode(bus: Bus): boolean {
  const [major = 0, minor = 0] = (bus.connection.info?.version ?? '').split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 12);
}

/** The key-value bucket of leases: who writes which log. Keys of gateways that are gone leave by age. Account LOG. */
export async function ensureLeases(bus: Bus, replicas: number): Promise<void> {
  await ensureStream(bus, {
    name: LEASES_STREAM,
    subjects: [LEASES_SUBJECTS],
    storage: 'file',
    retention: 'limits',
    discard: 'new',
    max_msgs: -1,
    max_bytes: -1,
    max_age: NANOS_PER_DAY,
    max_msgs_per_subject: 1,
    allow_direct: true,
    num_replicas: replicas,
  });
}

/**
 * The key-value bucket of secrets, encrypted. Nothing leaves it but by a write that all gateways hear of: what is removed is
 * replaced by an empty message, which leaves by a time to live of its own. Account LOG.
 */
export async function ensureSecrets(bus: Bus, replicas: number): Promise<void> {
  await ensureStream(bus, {
    name: SECRETS_STREAM,
    subjects: [SECRETS_SUBJECTS],
    storage: 'file',
    retention: 'limits',
    discard: 'new',
    max_msgs: -1,
    max_bytes: -1,
    max_msg_size: SECRET_BYTES,
    max_age: 0,
    max_msgs_per_subject: 1,
    allow_msg_ttl: true,
    allow_direct: false,
    deny_delete: true,
    deny_purge: true,
    num_replicas: replicas,
  });
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

/** The object store of snapshots. What is in it can be made again from the logs, so it may be purged. Account LOG. */
export async function ensureSnapshots(bus: Bus, replicas: number): Promise<void> {
  await ensureStream(bus, {
    name: SNAPSHOTS_STREAM,
    subjects: [`${SNAPSHOT_PARTS}>`, `${SNAPSHOT_DESCRIPTIONS}>`],
    storage: 'file',
    retention: 'limits',
    discard: 'new',
    max_msgs: -1,
    max_bytes: -1,
    max_age: 0,
    max_msgs_per_subject: -1,
    allow_direct: true,
    allow_rollup_hdrs: true,
    deny_delete: false,
    deny_purge: false,
    num_replicas: replicas,
  });
}

/** Each ends when there was no answer in time. */
const TRIES = 6;

/** A stream that an earlier release made acknowledges what it stores. */
async function endAcknowledging(bus: Bus, name: string): Promise<void> {
  const live = await readConfig(bus, name);
  if (live === null || live['no_ack'] === true) return;
  await jetStreamApi(bus, `STREAM.UPDATE.${name}`, { ...live, no_ack: true });
}

/**
 * `initial` is asked for when the stream is made and is not compared afterwards. A server that has just started, or whose disk
 * is slow, takes its time over streams: whoever begins waits for it, and asking twice makes none twice.
 */
async function ensureStream(bus: Bus, wanted: StreamConfig, initial: object = {}): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      const live = (await readConfig(bus, wanted.name)) ?? (await createStream(bus, wanted, initial));
      assertConfig(wanted, live);
      return;
    } catch (error) {
      const isLate = error instanceof BusError && error.code === BusErrorCode.NoAnswer;
      if (!isLate || tries === TRIES) throw error;
    }
  }
}

/** Throws BusError STREAM_DIFFERS, naming the first field in which the live configuration is not the one that is wanted. */
export function assertConfig(wanted: StreamConfig, live: Readonly<Record<string, unknown>>): void {
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
  const info = await streamInfo(bus, name);
  return info === null ? null : objectIn(info, 'config');
}

async function createStream(
  bus: Bus,
  wanted: StreamConfig,
  initial: object,
): Promise<Readonly<Record<string, unknown>>> {
  return objectIn(await jetStreamApi(bus, `STREAM.CREATE.${wanted.name}`, { ...wanted, ...initial }), 'config');
}
