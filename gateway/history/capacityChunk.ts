import { z } from 'zod';
import type { Amounts } from '../../domain/agents/capacity.ts';
import { feedEvent, type FeedEvent } from '../../infra/bus/feedEvent.ts';
import type { HeldAmounts } from '../../projections/capacityHistory.ts';
import type { CapacityStep } from '../../projections/views.ts';

/** Capacity and allocated of one agent in ten days, as they are kept. */
export interface CapacityChunk {
  /** ms since 1970. */
  readonly start: number;
  /** Whoever finds that what is kept is not of this log builds it anew, with the next number. */
  readonly build: number;
  readonly logId: string;
  /** What happened to the agent in these ten days up to this version is in it. */
  readonly version: number;
  /** What was so before the first step, and since when; null: the agent was not there. */
  readonly before: CapacityStep | null;
  /** In the order of time. */
  readonly steps: readonly CapacityStep[];
  /** Whether hours in which very much happened have only some of it. */
  readonly isThinned: boolean;
  /** Changes of settings, in the order of the log, as feeds write events. */
  readonly changes: readonly FeedEvent[];
  /** What is held after the last of it. */
  readonly held: HeldAmounts;
}

/** Ten days, as those of the utilization history that is kept as long. */
export const CHUNK_SECONDS = 10 * 86_400;

const column = z.array(z.int());
const amounts = z.object({ millicores: column, memoryBytes: column, gpus: column });

/** At rest: columns in JSON, a row for what was before and then one for each step; times count from the chunk's start, in ms. */
const columns = z.object({
  version: z.literal(1),
  start: z.int(),
  build: z.int(),
  logId: z.string(),
  upTo: z.int(),
  hasBefore: z.boolean(),
  at: column,
  /** 0: no capacity. */
  known: column,
  capacity: amounts,
  allocated: amounts,
  isThinned: z.boolean(),
  changes: z.array(feedEvent),
  held: z.array(z.tuple([z.string(), z.int(), z.int(), z.int()])),
});

const NOTHING: Amounts = { millicores: 0, memoryBytes: 0, gpus: 0 };

export function encodeCapacityChunk(chunk: CapacityChunk): string {
  const { start, build, logId, version, before, steps, isThinned, changes, held } = chunk;
  const rows = before === null ? steps : [before, ...steps];
  const written: z.infer<typeof columns> = {
    version: 1,
    start,
    build,
    logId,
    upTo: version,
    hasBefore: before !== null,
    at: rows.map(({ at }) => at - start),
    known: rows.map(({ capacity }) => (capacity === null ? 0 : 1)),
    capacity: columnsOf(rows.map(({ capacity }) => capacity ?? NOTHING)),
    allocated: columnsOf(rows.map(({ allocated }) => allocated)),
    isThinned,
    changes: [...changes],
    held: [...held].map(([sessionId, { millicores, memoryBytes, gpus }]) => [sessionId, millicores, memoryBytes, gpus]),
  };
  return JSON.stringify(written);
}

/** Null: the text is no chunk. */
export function decodeCapacityChunk(text: string): CapacityChunk | null {
  const parsed = columns.safeParse(parsedJson(text));
  if (!parsed.success) return null;
  const { start, build, logId, upTo, hasBefore, at, known, capacity, allocated, isThinned, changes, held } =
    parsed.data;
  const rows = at.map((time, row) => ({
    at: start + time,
    capacity: known[row] === 1 ? amountsAt(capacity, row) : null,
    allocated: amountsAt(allocated, row),
  }));
  const before = hasBefore ? (rows[0] ?? null) : null;
  return {
    start,
    build,
    logId,
    version: upTo,
    before,
    steps: before === null ? rows : rows.slice(1),
    isThinned,
    changes,
    held: new Map(
      held.map(([sessionId, millicores, memoryBytes, gpus]) => [sessionId, { millicores, memoryBytes, gpus }]),
    ),
  };
}

function columnsOf(rows: readonly Amounts[]): z.infer<typeof amounts> {
  return {
    millicores: rows.map(({ millicores }) => millicores),
    memoryBytes: rows.map(({ memoryBytes }) => memoryBytes),
    gpus: rows.map(({ gpus }) => gpus),
  };
}

function amountsAt({ millicores, memoryBytes, gpus }: z.infer<typeof amounts>, row: number): Amounts {
  return { millicores: millicores[row] ?? 0, memoryBytes: memoryBytes[row] ?? 0, gpus: gpus[row] ?? 0 };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** What is so at its end, and since when; null: the agent was not there. */
export function endOf({ steps, before }: CapacityChunk): CapacityStep | null {
  return steps.at(-1) ?? before;
}
