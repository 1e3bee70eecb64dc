import type { Bus } from '../../infra/bus/connect.ts';
import { readText, standingText } from '../../infra/bus/rollups.ts';
import type { LogName } from '../../infra/log/port.ts';
import { capacitySubject, capacitySubjectsOf } from '../../infra/names.ts';
import type { HeldAmounts } from '../../projections/capacityHistory.ts';
import { startOf } from '../../projections/rollup.ts';
import type { CapacityStep } from '../../projections/views.ts';
import type { EventRow } from '../live/eventRows.ts';
import { CHUNK_SECONDS, endOf, type CapacityChunk } from './capacityChunk.ts';
import { KEPT_SECONDS, ofBuild, readCapacityMark } from './capacityStore.ts';
import { feedRow } from './feedRow.ts';

/** What is kept of one agent from a time on, up to where it was last written. */
export interface KeptCapacity {
  /** Of the agent's newest event that counts for it. */
  readonly version: number;
  /** Up to this version of the log nothing is missing. */
  readonly upTo: number;
  /** Oldest first, the first of them from `since` on. Never empty. */
  readonly steps: readonly CapacityStep[];
  readonly since: number;
  /** Whether the agent itself began then, so that there is nothing before. */
  readonly isWhole: boolean;
  readonly isThinned: boolean;
  /** Newest first. */
  readonly changes: readonly EventRow[];
  /** What was held in the end. */
  readonly held: HeldAmounts;
}

interface Whose {
  readonly agentId: string;
  readonly log: LogName;
  readonly logId: string;
}

/** Null: nothing of this log is kept of the agent. Reaches back to `since` (ms) where it can, and may begin before it. Throws BusError. */
export async function readKeptCapacity(
  bus: Bus,
  { agentId, log, logId }: Whose,
  since: number,
  now: number,
): Promise<KeptCapacity | null> {
  const starts = chunkStarts(since, now);
  const [mark, ...texts] = await Promise.all([
    readCapacityMark(bus, log),
    ...starts.map((start) => readText(bus, capacitySubject(agentId, start / 1000))),
  ]);
  if (mark?.logId !== logId) return null;
  let chunks = texts.flatMap((text) => ofBuild(mark, text) ?? []);
  if (chunks.length === 0) {
    // Nothing has happened to it in this time; what was written last says since when.
    const newest = await standingText(bus, capacitySubjectsOf(agentId));
    chunks = [ofBuild(mark, newest?.text ?? null) ?? []].flat();
  }
  return together(log, mark.version, connected(chunks));
}

function chunkStarts(since: number, now: number): readonly number[] {
  const span = CHUNK_SECONDS * 1000;
  const first = startOf(Math.max(since, now - KEPT_SECONDS * 1000), CHUNK_SECONDS);
  const count = Math.max(0, Math.floor((startOf(now, CHUNK_SECONDS) - first) / span) + 1);
  return Array.from({ length: count }, (_, index) => first + index * span);
}

/** The newest, and those before it as long as each ends as the next begins. */
function connected(chunks: readonly CapacityChunk[]): readonly CapacityChunk[] {
  const chain: CapacityChunk[] = [];
  for (const chunk of chunks.toReversed()) {
    const next = chain[0];
    if (next !== undefined && (next.before === null || endOf(chunk)?.at !== next.before.at)) break;
    chain.unshift(chunk);
  }
  return chain;
}

function together(log: LogName, marked: number, chain: readonly CapacityChunk[]): KeptCapacity | null {
  const [first, newest] = [chain[0], chain.at(-1)];
  if (first === undefined || newest === undefined) return null;
  const steps = [...(first.before === null ? [] : [first.before]), ...chain.flatMap((chunk) => chunk.steps)];
  const since = steps[0]?.at;
  if (since === undefined) return null;
  const changes = chain.flatMap((chunk) => chunk.changes.flatMap((message) => feedRow(log, message) ?? []));
  return {
    version: newest.version,
    upTo: Math.max(newest.version, marked),
    steps,
    since,
    isWhole: first.before === null,
    isThinned: chain.some(({ isThinned }) => isThinned),
    changes: changes.toReversed(),
    held: newest.held,
  };
}
