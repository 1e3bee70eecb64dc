import { STEPS_PER_UNIT, type Bucket, type Measure, type Spread } from './rollup.ts';

/**
 * A chunk at rest: the buckets of one agent and one width, as columns in JSON. Numbers are whole, counted in the steps that
 * the history is kept in, so that reading gives back exactly what was written; spreads are written as the mean and how far
 * the lowest and the highest are from it, which is mostly 0.
 */
export interface ChunkColumns {
  readonly version: 1;
  /** Start of the chunk, ms since 1970. */
  readonly start: number;
  readonly bucketSeconds: number;
  /** The number of each bucket within the chunk, rising. */
  readonly places: readonly number[];
  readonly samples: readonly number[];
  readonly cpuMillicores: ChunkSpreads;
  readonly memoryBytes: ChunkSpreads;
  /** Null instead of a column: no bucket of the chunk knows. */
  readonly diskUsedBytes: Column | null;
  readonly gpuPercent: ChunkSpreads | null;
  readonly gpuMemoryBytes: ChunkSpreads | null;
}

type Column = readonly (number | null)[];
export interface ChunkSpreads {
  readonly mean: Column;
  readonly below: Column;
  readonly above: Column;
}

/** `start` in ms. The buckets are in the order of time and lie in the chunk. */
export function encodeChunk(start: number, bucketSeconds: number, buckets: readonly Bucket[]): string {
  return JSON.stringify(columnsOf(start, bucketSeconds, buckets));
}

/** The buckets as columns; their places count from `start`, in ms. */
export function columnsOf(start: number, bucketSeconds: number, buckets: readonly Bucket[]): ChunkColumns {
  return {
    version: 1,
    start,
    bucketSeconds,
    places: buckets.map(({ at }) => (at - start) / (bucketSeconds * 1000)),
    samples: buckets.map(({ samples }) => samples),
    cpuMillicores: spreadsIn(buckets, 'cpuMillicores'),
    memoryBytes: spreadsIn(buckets, 'memoryBytes'),
    diskUsedBytes: knows(buckets, 'diskUsedBytes') ? buckets.map(diskSteps) : null,
    gpuPercent: knows(buckets, 'gpuPercent') ? spreadsIn(buckets, 'gpuPercent') : null,
    gpuMemoryBytes: knows(buckets, 'gpuMemoryBytes') ? spreadsIn(buckets, 'gpuMemoryBytes') : null,
  };
}

/** The buckets of a chunk in the order of time; null when the text is no chunk. */
export function decodeChunk(text: string): readonly Bucket[] | null {
  const columns = parseChunk(text);
  if (columns === null) return null;
  const { start, bucketSeconds, places, samples, diskUsedBytes } = columns;
  const [cpu, memory] = [spreadsOf(columns, 'cpuMillicores'), spreadsOf(columns, 'memoryBytes')];
  const [gpuLoad, gpuMemory] = [spreadsOf(columns, 'gpuPercent'), spreadsOf(columns, 'gpuMemoryBytes')];
  const buckets: Bucket[] = [];
  for (let index = 0; index < places.length; index += 1) {
    const [cpuMillicores, memoryBytes] = [cpu?.[index] ?? null, memory?.[index] ?? null];
    // Every bucket of a chunk knows both.
    if (cpuMillicores === null || memoryBytes === null) continue;
    const disk = diskUsedBytes?.[index] ?? null;
    const place = places[index] ?? 0;
    buckets.push({
      at: start + place * bucketSeconds * 1000,
      samples: samples[index] ?? 0,
      cpuMillicores,
      memoryBytes,
      diskUsedBytes: disk === null ? null : disk / STEPS_PER_UNIT.diskUsedBytes,
      gpuPercent: gpuLoad?.[index] ?? null,
      gpuMemoryBytes: gpuMemory?.[index] ?? null,
    });
  }
  return buckets;
}

function knows(buckets: readonly Bucket[], measure: 'diskUsedBytes' | 'gpuPercent' | 'gpuMemoryBytes'): boolean {
  return buckets.some((bucket) => bucket[measure] !== null);
}

function spreadsIn(buckets: readonly Bucket[], measure: Measure): ChunkSpreads {
  const steps = (value: number) => Math.round(value * STEPS_PER_UNIT[measure]);
  const column = (of: (spread: Spread) => number): Column =>
    buckets.map(({ [measure]: spread }) => (spread === null ? null : of(spread)));
  return {
    mean: column(({ mean }) => steps(mean)),
    below: column(({ mean, lowest }) => steps(mean) - steps(lowest)),
    above: column(({ mean, highest }) => steps(highest) - steps(mean)),
  };
}

function diskSteps({ diskUsedBytes }: Bucket): number | null {
  return diskUsedBytes === null ? null : Math.round(diskUsedBytes * STEPS_PER_UNIT.diskUsedBytes);
}

/** Null: no bucket knows. */
function spreadsOf(columns: ChunkColumns, measure: Measure): readonly (Spread | null)[] | null {
  const spreads = columns[measure];
  if (spreads === null) return null;
  const { below, above } = spreads;
  const steps = STEPS_PER_UNIT[measure];
  return spreads.mean.map((mean, index) => {
    const [under, over] = [below[index] ?? null, above[index] ?? null];
    if (mean === null || under === null || over === null) return null;
    return { lowest: (mean - under) / steps, mean: mean / steps, highest: (mean + over) / steps };
  });
}

/** The columns of a chunk; null when the text is no chunk. */
export function parseChunk(text: string): ChunkColumns | null {
  try {
    const value: unknown = JSON.parse(text);
    return isColumns(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isColumns(value: unknown): value is ChunkColumns {
  if (!isRecord(value) || value['version'] !== 1) return false;
  const { start, bucketSeconds, places, samples, cpuMillicores, memoryBytes } = value;
  const { diskUsedBytes, gpuPercent, gpuMemoryBytes } = value;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(bucketSeconds)) return false;
  if (!isColumn(places, null) || !isColumn(samples, places.length)) return false;
  if (places.includes(null) || samples.includes(null)) return false;
  const isSpreads = (columns: unknown): columns is ChunkSpreads =>
    isRecord(columns) &&
    [columns['mean'], columns['below'], columns['above']].every((column) => isColumn(column, places.length));
  const isKnown = ({ mean, below, above }: ChunkSpreads) => ![mean, below, above].some((each) => each.includes(null));
  return (
    [cpuMillicores, memoryBytes].every((columns) => isSpreads(columns) && isKnown(columns)) &&
    [gpuPercent, gpuMemoryBytes].every((columns) => columns === null || isSpreads(columns)) &&
    (diskUsedBytes === null || isColumn(diskUsedBytes, places.length))
  );
}

/** Of this length, unless null. */
function isColumn(value: unknown, length: number | null): value is Column {
  if (!Array.isArray(value) || (length !== null && value.length !== length)) return false;
  return value.every((each) => each === null || Number.isSafeInteger(each));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
