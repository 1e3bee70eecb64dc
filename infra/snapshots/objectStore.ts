import { createHash, randomUUID } from 'node:crypto';
import { headers } from 'nats';
import { z } from 'zod';
import { getMessage, publishAcked, purgeSubject, subjectsOf } from '../bus/api.ts';
import type { Bus } from '../bus/connect.ts';
import { BusError } from '../bus/errors.ts';
import { ensureSnapshots } from '../bus/streams.ts';
import { checkedLog } from '../log/guards.ts';
import { unavailable } from '../log/unavailable.ts';
import {
  SNAPSHOTS_STREAM,
  SNAPSHOT_DESCRIPTIONS,
  SNAPSHOT_PARTS,
  paddedBase64Url,
  snapshotDescriptionSubject,
  snapshotObject,
  snapshotPlace,
} from '../names.ts';
import type { SnapshotInfo, SnapshotStore } from './port.ts';

/**
 * Snapshots in a JetStream object store, which the `nats` command line can list and fetch. Parts and descriptions are
 * written and read here and not by the client's own object store: that one hashes in JavaScript, sends all parts at once
 * without yielding, and waits for ever when the connection is lost while it reads.
 */
export interface ObjectStoreOptions {
  /** Connected to the account LOG. */
  readonly bus: Bus;
  /** Copies of the snapshots on a cluster; a single server has 1. */
  readonly replicas?: number;
}

/** Below every server's limit. Parts go one after the other, so commits on the same connection pass between them. */
const PART_BYTES = 256 * 1024;

/** What an object store keeps of an object. The digest is SHA-256 in base64url with its padding. */
const description = z.object({
  name: z.string(),
  nuid: z.string(),
  size: z.int(),
  chunks: z.int(),
  metadata: z.object({
    logId: z.string(),
    hash: z.string(),
    stateSchema: z.coerce.number().int(),
    codeVersion: z.string(),
    sha256: z.string(),
    at: z.string(),
  }),
});
type Description = z.infer<typeof description>;

export function createObjectStoreSnapshots({ bus, replicas = 1 }: ObjectStoreOptions): SnapshotStore {
  let made: Promise<void> | null = null;

  /** Runs `work` on the bucket, which is made at the first use. */
  async function inBucket<Result>(log: string, work: () => Promise<Result>): Promise<Result> {
    checkedLog(log);
    try {
      made ??= ensureSnapshots(bus, replicas);
      await made;
      return await work();
    } catch (error) {
      made = null;
      throw error instanceof BusError ? unavailable(`the snapshots of ${log}`, error) : error;
    }
  }

  return {
    list: (log) => inBucket(log, () => listOf(bus, log)),
    read: (info) => inBucket(info.log, () => readBytes(bus, info)),
    write: (info, bytes) => inBucket(info.log, () => writeBytes(bus, info, bytes)),
    remove: (info) => inBucket(info.log, () => removeIfStanding(bus, info)),
  };
}

async function listOf(bus: Bus, log: string): Promise<readonly SnapshotInfo[]> {
  const infos: SnapshotInfo[] = [];
  for (const subject of await subjectsOf(bus, SNAPSHOTS_STREAM, `${SNAPSHOT_DESCRIPTIONS}>`)) {
    const place = snapshotPlace(subject);
    if (place?.log !== log) continue;
    const standing = await readDescription(bus, subject);
    if (standing === null) continue;
    const { metadata, size } = standing;
    infos.push({ ...metadata, ...place, bytes: size });
  }
  return infos.toSorted((a, b) => b.version - a.version);
}

/** Null: gone, or not a snapshot's, as an object put there by hand. */
async function readDescription(bus: Bus, subject: string): Promise<Description | null> {
  const stored = await getMessage(bus, SNAPSHOTS_STREAM, { last_by_subj: subject });
  if (stored === null) return null;
  const text = Buffer.from(stored.data).toString('utf8');
  return description.safeParse(parsedOrNull(text)).data ?? null;
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

async function readBytes(bus: Bus, info: SnapshotInfo): Promise<Uint8Array | null> {
  const standing = await readDescription(bus, subjectOf(info));
  if (standing === null || standing.size !== info.bytes) return null;
  const bytes = new Uint8Array(info.bytes);
  const digest = createHash('sha256');
  let filled = 0;
  let sequence = 0;
  while (filled < bytes.length) {
    const which = { seq: sequence + 1, next_by_subj: partsSubject(standing.nuid) };
    const part = await getMessage(bus, SNAPSHOTS_STREAM, which);
    if (part === null || part.data.length === 0 || filled + part.data.length > bytes.length) return null;
    bytes.set(part.data, filled);
    digest.update(part.data);
    filled += part.data.length;
    sequence = part.sequence;
  }
  return digest.digest('hex') === info.sha256 ? bytes : null;
}

/** The parts first, then the description that makes them count, then away with what nobody describes any more. */
async function writeBytes(bus: Bus, info: SnapshotInfo, bytes: Uint8Array): Promise<void> {
  const object = snapshotObject(info.log, info.version);
  const nuid = `${info.log}_${info.version}_${randomUUID()}`;
  const digest = createHash('sha256');
  let chunks = 0;
  for (let from = 0; from < bytes.length; from += PART_BYTES) {
    const part = bytes.subarray(from, from + PART_BYTES);
    digest.update(part);
    await publishAcked(bus, partsSubject(nuid), part);
    chunks += 1;
  }
  const sum = digest.digest();
  if (sum.toString('hex') !== info.sha256 || bytes.length !== info.bytes) {
    await purgeSubject(bus, SNAPSHOTS_STREAM, partsSubject(nuid));
    throw new RangeError(`the bytes of the snapshot ${object} are not those of its description`);
  }
  const replaced = await readDescription(bus, subjectOf(info));
  const rollup = headers();
  rollup.set('Nats-Rollup', 'sub');
  const described = Buffer.from(JSON.stringify(describe(info, nuid, chunks, sum)));
  await publishAcked(bus, subjectOf(info), described, rollup);
  if (replaced !== null) await purgeSubject(bus, SNAPSHOTS_STREAM, partsSubject(replaced.nuid));
  await sweep(bus, info);
}

function describe(info: SnapshotInfo, nuid: string, chunks: number, sum: Buffer): object {
  const { log, version, bytes, at, stateSchema, ...texts } = info;
  return {
    name: snapshotObject(log, version),
    bucket: SNAPSHOTS_STREAM.slice('OBJ_'.length),
    nuid,
    size: bytes,
    chunks,
    digest: `SHA-256=${paddedBase64Url(sum)}`,
    mtime: at,
    options: { max_chunk_size: PART_BYTES },
    metadata: { ...texts, stateSchema: String(stateSchema), at },
  };
}

/**
 * Parts of a writer that died before it described them. Only those of lower versions: what has a higher one may be on its
 * way at this moment, and a snapshot older than the one just written is no loss.
 */
async function sweep(bus: Bus, info: SnapshotInfo): Promise<void> {
  const described = new Set<string>();
  for (const subject of await subjectsOf(bus, SNAPSHOTS_STREAM, `${SNAPSHOT_DESCRIPTIONS}>`)) {
    if (snapshotPlace(subject)?.log !== info.log) continue;
    const standing = await readDescription(bus, subject);
    if (standing !== null) described.add(standing.nuid);
  }
  for (const subject of await subjectsOf(bus, SNAPSHOTS_STREAM, `${SNAPSHOT_PARTS}>`)) {
    const nuid = subject.slice(SNAPSHOT_PARTS.length);
    const [, log, version] = /^(.+)_(\d+)_[^_]+$/.exec(nuid) ?? [];
    if (log !== info.log || Number(version) >= info.version || described.has(nuid)) continue;
    await purgeSubject(bus, SNAPSHOTS_STREAM, subject);
  }
}

async function removeIfStanding(bus: Bus, info: SnapshotInfo): Promise<void> {
  const standing = await readDescription(bus, subjectOf(info));
  if (standing === null || standing.metadata.sha256 !== info.sha256) return;
  await purgeSubject(bus, SNAPSHOTS_STREAM, subjectOf(info));
  await purgeSubject(bus, SNAPSHOTS_STREAM, partsSubject(standing.nuid));
}

function subjectOf(info: SnapshotInfo): string {
  return snapshotDescriptionSubject(snapshotObject(info.log, info.version));
}

function partsSubject(nuid: string): string {
  return `${SNAPSHOT_PARTS}${nuid}`;
}
