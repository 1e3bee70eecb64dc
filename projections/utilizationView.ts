import { startOf, STEPS_PER_UNIT } from './rollup.ts';
import type { ChunkColumns, ChunkSpreads } from './rollupChunk.ts';
import type { Range } from './rollupRange.ts';
import type { SpreadColumns, UtilizationView } from './views.ts';

/** A column while it is filled. */
type Filling = (number | null)[];

/** Where each bucket of a part comes to stand in the answer; -1: nowhere. */
interface Placed {
  readonly part: ChunkColumns;
  readonly places: readonly number[];
}

/**
 * What the parts of a history say of a range. Of two accounts of one bucket the fuller counts, and the earlier part when they
 * are equally full. Plain loops over numbers: a day has 8,640 buckets, and whatever else the gateway does waits meanwhile.
 */
export function utilizationView(
  agentId: string,
  range: Range,
  stepSeconds: number,
  parts: readonly ChunkColumns[],
): UtilizationView {
  const stepMs = stepSeconds * 1000;
  const first = startOf(Math.max(0, range.since), stepSeconds);
  const length = Math.max(0, Math.floor((range.until - first) / stepMs) + 1);
  const samples = column(length, 0);
  const placed = parts.map((part) => ({ part, places: placesOf(part, { first, stepSeconds, samples }) }));
  const isReceived = (received: number) => received > 0;
  const begin = Math.max(0, samples.findIndex(isReceived));
  const end = samples.findLastIndex(isReceived) + 1;
  const cut = <Value>(whole: readonly Value[]): readonly Value[] => whole.slice(begin, end);
  const spread = (of: (part: ChunkColumns) => ChunkSpreads | null, stepsPerUnit = 1): SpreadColumns => {
    const { lowest, mean, highest } = spreadOf(placed, length, of, stepsPerUnit);
    return { lowest: cut(lowest), mean: cut(mean), highest: cut(highest) };
  };
  const disk = cut(levelOf(placed, length));
  return {
    agentId,
    start: first + begin * stepMs,
    stepSeconds,
    samples: cut(samples),
    cpuMillicores: spread(({ cpuMillicores }) => cpuMillicores),
    memoryMib: spread(({ memoryBytes }) => memoryBytes),
    diskUsedMib: disk.some(isKnown) ? disk : null,
    gpuPercent: knownOnly(spread(({ gpuPercent }) => gpuPercent, STEPS_PER_UNIT.gpuPercent)),
    gpuMemoryMib: knownOnly(spread(({ gpuMemoryBytes }) => gpuMemoryBytes)),
  };
}

interface Standing {
  /** ms since 1970. */
  readonly first: number;
  readonly stepSeconds: number;
  /** What is taken is written here. */
  readonly samples: number[];
}

/** Of the buckets that are in the range and fuller than what stands there. */
function placesOf(part: ChunkColumns, { first, stepSeconds, samples }: Standing): readonly number[] {
  const offset = (part.start - first) / (stepSeconds * 1000);
  if (part.bucketSeconds !== stepSeconds || !Number.isInteger(offset)) return [];
  return part.places.map((placeInPart, index) => {
    const place = offset + placeInPart;
    const received = part.samples[index] ?? 0;
    // Nothing is fuller than what is out of the range.
    if (received <= (samples[place] ?? Infinity)) return -1;
    samples[place] = received;
    return place;
  });
}

/** In the order of the parts, so that of one place the fullest stays. */
function spreadOf(
  placed: readonly Placed[],
  length: number,
  of: (part: ChunkColumns) => ChunkSpreads | null,
  stepsPerUnit: number,
): { readonly lowest: Filling; readonly mean: Filling; readonly highest: Filling } {
  const gaps = (): Filling => column(length, null);
  const [lowest, mean, highest] = [gaps(), gaps(), gaps()];
  for (const { part, places } of placed) {
    const spreads = of(part);
    for (let index = 0; index < places.length; index += 1) {
      const place = places[index] ?? -1;
      if (place === -1) continue;
      const steps = spreads?.mean[index] ?? null;
      const below = spreads?.below[index] ?? null;
      const above = spreads?.above[index] ?? null;
      mean[place] = steps === null ? null : steps / stepsPerUnit;
      lowest[place] = steps === null || below === null ? null : (steps - below) / stepsPerUnit;
      highest[place] = steps === null || above === null ? null : (steps + above) / stepsPerUnit;
    }
  }
  return { lowest, mean, highest };
}

function levelOf(placed: readonly Placed[], length: number): Filling {
  const level: Filling = column(length, null);
  for (const { part, places } of placed) {
    for (let index = 0; index < places.length; index += 1) {
      const place = places[index] ?? -1;
      if (place !== -1) level[place] = part.diskUsedBytes?.[index] ?? null;
    }
  }
  return level;
}

/** Not by `Array.from`, which takes ten times as long for it. */
function column<Value>(length: number, value: Value): Value[] {
  const all: Value[] = [];
  while (all.length < length) all.push(value);
  return all;
}

function knownOnly(columns: SpreadColumns): SpreadColumns | null {
  return columns.mean.some(isKnown) ? columns : null;
}

function isKnown(value: number | null): boolean {
  return value !== null;
}
