import { z } from 'zod';
import type { Bus } from '../../infra/bus/connect.ts';
import { BusError, BusErrorCode } from '../../infra/bus/errors.ts';
import { versionIn } from '../../infra/bus/feedEvent.ts';
import { readText, standingText, writeText } from '../../infra/bus/rollups.ts';
import type { Clock } from '../../infra/clock.ts';
import type { LogName } from '../../infra/log/port.ts';
import { capacityMarkSubject, capacitySubject, capacitySubjectsOf } from '../../infra/names.ts';
import { thinned } from '../../projections/capacitySteps.ts';
import { CHUNK_SECONDS, decodeCapacityChunk, encodeCapacityChunk, endOf, type CapacityChunk } from './capacityChunk.ts';
import type { Collected } from './capacityCollector.ts';

/** How far the steps of a zone's agents are kept. */
const capacityMark = z.object({
  /** Raised when what is kept is not of the log as it stands; chunks of another build do not count. */
  build: z.int(),
  logId: z.string(),
  /** Everything up to this commit is kept, and the hash is that commit's. */
  version: z.int(),
  hash: z.string(),
  /** When that was written, ms since 1970. */
  writtenAt: z.int(),
});
export type CapacityMark = z.infer<typeof capacityMark>;

/** Whose steps they are. */
export interface CapacityBuild {
  readonly log: LogName;
  readonly logId: string;
  readonly build: number;
  /** Since when an agent that was there before anything was seen of it has been as it was, ms; not before this. */
  readonly since: number;
}

export const KEPT_SECONDS = 400 * 86_400;
export const HOUR_MS = 3_600_000;
/** Of an hour so many steps are kept as they are, and of one with more those that are drawn. */
export const MOST_AN_HOUR = 16;
/** Changes of settings of one agent in ten days; the newest count. */
const MOST_CHANGES = 500;
/** Others came between reading and writing so often in a row that something else is wrong. */
const ATTEMPTS = 8;

/** Null: there is none, or it is none. For showing. */
export async function readCapacityMark(bus: Bus, log: LogName): Promise<CapacityMark | null> {
  return markIn(await readText(bus, capacityMarkSubject(log)));
}

/** The same for writing. */
export async function standingCapacityMark(bus: Bus, log: LogName): Promise<CapacityMark | null> {
  return markIn((await standingText(bus, capacityMarkSubject(log)))?.text ?? null);
}

/** Never goes back. Tells whether this build still counts. Throws BusError. */
export async function writeCapacityMark(bus: Bus, log: LogName, mark: CapacityMark): Promise<boolean> {
  for (;;) {
    const standing = await standingText(bus, capacityMarkSubject(log));
    const before = markIn(standing?.text ?? null);
    if (before !== null && before.build > mark.build) return false;
    if (before?.build === mark.build && before.version > mark.version) return true;
    const written = { text: JSON.stringify(mark), expected: standing?.sequence ?? 0, keptSeconds: KEPT_SECONDS };
    if (await writeText(bus, capacityMarkSubject(log), written)) return true;
  }
}

/**
 * Brings what was collected of one agent into its chunks, oldest first. Doing it twice, or by two writers at once, changes
 * nothing: a chunk knows up to which version it has everything. Throws BusError.
 */
export async function storeCapacity(
  bus: Bus,
  clock: Clock,
  build: CapacityBuild,
  agentId: string,
  collected: readonly Collected[],
): Promise<void> {
  for (const each of collected) await mergeInto(bus, clock, build, agentId, each);
}

async function mergeInto(
  bus: Bus,
  clock: Clock,
  build: CapacityBuild,
  agentId: string,
  collected: Collected,
): Promise<void> {
  const keptUntil = collected.start + (CHUNK_SECONDS + KEPT_SECONDS) * 1000;
  const keptSeconds = Math.ceil((keptUntil - clock.now()) / 1000);
  if (keptSeconds <= 0) return;
  const subject = capacitySubject(agentId, collected.start / 1000);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const standing = await standingText(bus, subject);
    const chunk = ofBuild(build, standing?.text ?? null) ?? (await newChunk(bus, build, agentId, collected));
    if (chunk.version >= collected.version) return;
    const text = encodeCapacityChunk(withMore(build.log, chunk, collected));
    if (await writeText(bus, subject, { text, expected: standing?.sequence ?? 0, keptSeconds })) return;
  }
  const message = `the capacity of ${agentId} is being written by others all the time`;
  throw new BusError(BusErrorCode.Contended, message);
}

/** Empty, behind what the agent's newest chunk ends with. */
async function newChunk(
  bus: Bus,
  build: CapacityBuild,
  agentId: string,
  { start, before, beforeSince }: Collected,
): Promise<CapacityChunk> {
  const empty = { start, build: build.build, logId: build.logId, version: 0, isThinned: false };
  const chunk = { ...empty, steps: [], changes: [], held: new Map() };
  if (before === null) return { ...chunk, before };
  if (beforeSince !== null) return { ...chunk, before: { ...before, at: beforeSince } };
  const newest = await standingText(bus, capacitySubjectsOf(agentId));
  const end = ofBuild(build, newest?.text ?? null);
  const at = (end !== null && end.start < start ? endOf(end)?.at : null) ?? build.since;
  return { ...chunk, before: { ...before, at } };
}

function withMore(log: LogName, chunk: CapacityChunk, collected: Collected): CapacityChunk {
  const { version, held } = collected;
  const steps = [...chunk.steps, ...collected.steps.filter((step) => step.version > chunk.version).map(plain)];
  const kept = thinned(steps, HOUR_MS, MOST_AN_HOUR);
  const added = collected.changes.filter(({ position }) => (versionIn(log, position) ?? 0) > chunk.version);
  const changes = [...chunk.changes, ...added].slice(-MOST_CHANGES);
  const isThinned = chunk.isThinned || kept.length < steps.length;
  return { ...chunk, version, held, steps: kept, changes, isThinned };
}

function plain({ at, capacity, allocated }: Collected['steps'][number]): CapacityChunk['steps'][number] {
  return { at, capacity, allocated };
}

/** Null: there is none, or it is one of another build. */
export function ofBuild(
  { build, logId }: Pick<CapacityBuild, 'build' | 'logId'>,
  text: string | null,
): CapacityChunk | null {
  const chunk = text === null ? null : decodeCapacityChunk(text);
  return chunk?.build === build && chunk.logId === logId ? chunk : null;
}

function markIn(text: string | null): CapacityMark | null {
  if (text === null) return null;
  try {
    return capacityMark.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
