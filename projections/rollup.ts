/**
 * The utilization history at rest: buckets of three widths. A bucket holds what was measured while it lasted; one during
 * which nothing was received does not exist, so a gap stays a gap. All of it is pure; times are ms since 1970, UTC.
 */

/** The lowest, mean and highest of what was measured. */
export interface Spread {
  readonly lowest: number;
  readonly mean: number;
  readonly highest: number;
}

export interface Bucket {
  /** Its start, a multiple of its width. */
  readonly at: number;
  /** Check-ins that it holds, 1 or more. */
  readonly samples: number;
  readonly cpuMillicores: Spread;
  readonly memoryBytes: Spread;
  /** A level: the newest one known. */
  readonly diskUsedBytes: number | null;
  /** Over the devices of the agent: their mean load in percent, to a tenth. */
  readonly gpuPercent: Spread | null;
  /** Over the devices of the agent: the sum of what is used. */
  readonly gpuMemoryBytes: Spread | null;
}

export type Measure = 'cpuMillicores' | 'memoryBytes' | 'gpuPercent' | 'gpuMemoryBytes';

const STEPS_PER_BYTE = 1 / 1024 ** 2;

/** How exactly the history is kept: millicores, MiB, tenths of a percent. The digits behind are noise, and half its size. */
export const STEPS_PER_UNIT: Readonly<Record<Measure | 'diskUsedBytes', number>> = {
  cpuMillicores: 1,
  memoryBytes: STEPS_PER_BYTE,
  diskUsedBytes: STEPS_PER_BYTE,
  gpuPercent: 10,
  gpuMemoryBytes: STEPS_PER_BYTE,
};

/** One width of bucket, how many seconds of it are kept together as one chunk, and how long they are kept. */
export interface Resolution {
  readonly bucketSeconds: number;
  readonly chunkSeconds: number;
  readonly keptSeconds: number;
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** As measured, in chunks of an hour. Each chunk lies within one of the next width. */
export const FINE: Resolution = { bucketSeconds: 10, chunkSeconds: HOUR, keptSeconds: DAY };
/** What is computed from it. */
export const COARSER: readonly Resolution[] = [
  { bucketSeconds: 60, chunkSeconds: 6 * HOUR, keptSeconds: 7 * DAY },
  { bucketSeconds: HOUR, chunkSeconds: 10 * DAY, keptSeconds: 400 * DAY },
];
export const RESOLUTIONS: readonly Resolution[] = [FINE, ...COARSER];

/** The start, in ms, of the span of `seconds` that a time lies in. */
export function startOf(at: number, seconds: number): number {
  return at - (at % (seconds * 1000));
}

/** Wider buckets out of narrower ones that are in the order of time. */
export function coarsened(buckets: readonly Bucket[], bucketSeconds: number): readonly Bucket[] {
  const wide: Bucket[] = [];
  let group: Bucket[] = [];
  for (const bucket of buckets) {
    const first = group[0];
    if (first !== undefined && startOf(first.at, bucketSeconds) !== startOf(bucket.at, bucketSeconds)) {
      wide.push(together(group, startOf(first.at, bucketSeconds)));
      group = [];
    }
    group.push(bucket);
  }
  const first = group[0];
  if (first !== undefined) wide.push(together(group, startOf(first.at, bucketSeconds)));
  return wide;
}

/**
 * Two accounts of the same time as one, in the order of time. Each is a part of what was measured, so of two buckets of
 * one time the fuller counts, and the standing one when they are equally full: merging again changes nothing, and an
 * account with holes takes nothing away.
 */
export function mergedBuckets(standing: readonly Bucket[], added: readonly Bucket[]): readonly Bucket[] {
  if (standing.length === 0) return added;
  if (added.length === 0) return standing;
  const byTime = new Map(standing.map((bucket) => [bucket.at, bucket]));
  let changed = false;
  for (const bucket of added) {
    if ((byTime.get(bucket.at)?.samples ?? 0) >= bucket.samples) continue;
    byTime.set(bucket.at, bucket);
    changed = true;
  }
  return changed ? [...byTime.values()].toSorted((a, b) => a.at - b.at) : standing;
}

function together(group: readonly Bucket[], at: number): Bucket {
  return {
    at,
    samples: group.reduce((sum, { samples }) => sum + samples, 0),
    cpuMillicores: spreadOver(group, 'cpuMillicores') ?? NOTHING,
    memoryBytes: spreadOver(group, 'memoryBytes') ?? NOTHING,
    diskUsedBytes: group.findLast(({ diskUsedBytes }) => diskUsedBytes !== null)?.diskUsedBytes ?? null,
    gpuPercent: spreadOver(group, 'gpuPercent'),
    gpuMemoryBytes: spreadOver(group, 'gpuMemoryBytes'),
  };
}

const NOTHING: Spread = { lowest: 0, mean: 0, highest: 0 };

/** Every bucket weighs as much as it holds; null when none of them knows. */
function spreadOver(group: readonly Bucket[], measure: Measure): Spread | null {
  let lowest = Infinity;
  let highest = -Infinity;
  let weighed = 0;
  let weight = 0;
  for (const bucket of group) {
    const spread = bucket[measure];
    if (spread === null) continue;
    lowest = Math.min(lowest, spread.lowest);
    highest = Math.max(highest, spread.highest);
    weighed += spread.mean * bucket.samples;
    weight += bucket.samples;
  }
  return weight === 0 ? null : roundedSpread({ lowest, mean: weighed / weight, highest }, STEPS_PER_UNIT[measure]);
}

/** Rounded, so that a bucket reads the same from memory and from a chunk. */
export function roundedSpread({ lowest, mean, highest }: Spread, steps: number): Spread {
  return { lowest: rounded(lowest, steps), mean: rounded(mean, steps), highest: rounded(highest, steps) };
}

/** To the nearest of `steps` per unit. */
export function rounded(value: number, steps: number): number {
  return Math.round(value * steps) / steps;
}
