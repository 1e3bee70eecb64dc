import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { headers } from 'nats';
import { ROLLUPS_STREAM, ROLLUPS_WRITTEN, rollupSubject } from '../names.ts';
import { getMessage, publishAcked } from './api.ts';
import type { Bus } from './connect.ts';
import { directGet } from './directGet.ts';
import { ServerCode, hasServerCode } from './errors.ts';

/**
 * Where the utilization history is kept, and capacity and allocated beside it: texts, compressed, written by compare-and-set. What they say is the business of
 * those who write and read them.
 */
export interface ChunkPlace {
  readonly agentId: string;
  readonly bucketSeconds: number;
  /** ms since 1970. */
  readonly start: number;
}

export interface StandingChunk {
  readonly text: string;
  /** Of the message that holds it: what a writer expects to replace. */
  readonly sequence: number;
}

const compressed = promisify(gzip);
const decompressed = promisify(gunzip);
/** More than any chunk has; what a stranger packed smaller than it is must not fill the memory. */
const MOST_BYTES = 1024 ** 2;

/** For showing: from whichever server answers first. Null when there is none. */
export async function readChunk(bus: Bus, place: ChunkPlace): Promise<string | null> {
  return await readText(bus, subjectOf(place));
}

/** The same of any subject of the rollups. */
export async function readText(bus: Bus, subject: string): Promise<string | null> {
  const data = await directGet(bus, ROLLUPS_STREAM, subject);
  return data === null ? null : await textOf(data);
}

/** For writing: what the leader has. */
export async function standingChunk(bus: Bus, place: ChunkPlace): Promise<StandingChunk | null> {
  return await standingText(bus, subjectOf(place));
}

/** The same of any subject, or what was written last under those that a wildcard lets through. */
export async function standingText(bus: Bus, subjects: string): Promise<StandingChunk | null> {
  const message = await getMessage(bus, ROLLUPS_STREAM, { last_by_subj: subjects });
  if (message === null) return null;
  return { text: await textOf(message.data), sequence: message.sequence };
}

/**
 * Writes a chunk in place of the one with the sequence `expected` (0: there is none) and tells whether it was written:
 * if not, somebody else came first. It is kept for `keptSeconds` from now. Throws BusError when the outcome is unknown;
 * writing the same again is harmless.
 */
export async function writeChunk(bus: Bus, place: ChunkPlace, chunk: Written): Promise<boolean> {
  return await writeText(bus, subjectOf(place), chunk);
}

export interface Written {
  readonly text: string;
  readonly expected: number;
  readonly keptSeconds: number;
}

/** The same under any subject of the rollups. */
export async function writeText(bus: Bus, subject: string, written: Written): Promise<boolean> {
  const expectation = headers();
  expectation.set('Nats-TTL', `${written.keptSeconds}s`);
  return await write(bus, subject, await compressed(written.text), written.expected, expectation);
}

/** Up to when (ms since 1970, the bus's time of receipt) all check-ins are in the rollups; null: nobody has said yet. */
export async function readWrittenUpTo(bus: Bus): Promise<number | null> {
  return (await standingMark(bus))?.upTo ?? null;
}

/** Never goes back: a lower time than what stands is not written. */
export async function markWrittenUpTo(bus: Bus, upTo: number): Promise<void> {
  for (;;) {
    const standing = await standingMark(bus);
    if (standing !== null && standing.upTo >= upTo) return;
    const bytes = Buffer.from(String(upTo));
    if (await write(bus, ROLLUPS_WRITTEN, bytes, standing?.sequence ?? 0, headers())) return;
  }
}

async function standingMark(bus: Bus): Promise<{ readonly upTo: number; readonly sequence: number } | null> {
  const message = await getMessage(bus, ROLLUPS_STREAM, { last_by_subj: ROLLUPS_WRITTEN });
  if (message === null) return null;
  const upTo = Number(Buffer.from(message.data).toString('utf8'));
  // If something else stands there, the stored check-ins say everything again.
  return { upTo: Number.isSafeInteger(upTo) ? upTo : 0, sequence: message.sequence };
}

async function write(
  bus: Bus,
  subject: string,
  bytes: Uint8Array,
  expected: number,
  expectation: ReturnType<typeof headers>,
): Promise<boolean> {
  expectation.set('Nats-Expected-Last-Subject-Sequence', String(expected));
  try {
    await publishAcked(bus, subject, bytes, expectation);
    return true;
  } catch (error) {
    if (hasServerCode(error, ServerCode.wrongLastSequence, ServerCode.wrongLastSequenceInFlight)) return false;
    throw error;
  }
}

function subjectOf({ agentId, bucketSeconds, start }: ChunkPlace): string {
  return rollupSubject(agentId, bucketSeconds, start / 1000);
}

/** What is not compressed, or too much, is read as the empty text, which is no chunk: a writer replaces it. */
async function textOf(data: Uint8Array): Promise<string> {
  try {
    return (await decompressed(data, { maxOutputLength: MOST_BYTES })).toString('utf8');
  } catch (error) {
    if (isOfZlib(error)) return '';
    throw error;
  }
}

function isOfZlib(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return String(error.code).startsWith('Z_') || error.code === 'ERR_BUFFER_TOO_LARGE';
}
