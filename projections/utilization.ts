import type { CheckIn, Usage } from '../domain/checkIn.ts';
import { FINE, rounded, roundedSpread, startOf, STEPS_PER_UNIT, type Bucket, type Spread } from './rollup.ts';

/**
 * What was measured on the agents and is not written down yet: per agent the hours that are open, each with a bucket for
 * every ten seconds. Rows of numbers, because a fleet has millions of them: an hour of an agent takes 11.5 KB, and 20.2 KB
 * once it has told of a GPU. Numbers keep 24 significant bits: MiB up to 16 TiB.
 */
export interface OpenHour {
  /** ms since 1970. */
  readonly start: number;
  /** Check-ins in all of it. */
  samples: number;
  /** A row per bucket: samples (0: the bucket does not exist), CPU, memory, disk. */
  readonly rows: Float32Array;
  /** A row per bucket: load, memory. Null while no GPU was told of. */
  gpuRows: Float32Array | null;
}

/** By agent, then by the start of the hour. */
export type UtilizationHistory = Map<string, Map<number, OpenHour>>;

const BUCKET_MS = FINE.bucketSeconds * 1000;
const BUCKETS = FINE.chunkSeconds / FINE.bucketSeconds;
/** Hours of one agent that are held: a simulated one brings a whole day at once. The oldest make room. */
const MOST_HOURS = 26;

/** Places in a row. A spread takes three: mean, lowest, highest. NaN: not known. */
const SAMPLES = 0;
const CPU = 1;
const MEMORY = 4;
const DISK = 7;
const ROW = 8;
const GPU_LOAD = 0;
const GPU_MEMORY = 3;
const GPU_ROW = 6;

/** When a check-in counts: as the bus received it. A simulated agent brings a day that never was, so there its own word. */
export function measuredAt({ simulated, observedAt }: CheckIn, receivedAt: number): number {
  return simulated ? Date.parse(observedAt) : receivedAt;
}

/** Adds what was measured at `at` (ms since the epoch). */
export function addSample(history: UtilizationHistory, agentId: string, at: number, usage: Usage): void {
  const hour = openHour(history, agentId, startOf(at, FINE.chunkSeconds));
  const place = Math.floor((at - hour.start) / BUCKET_MS);
  const row = place * ROW;
  const samples = (hour.rows[row + SAMPLES] ?? 0) + 1;
  hour.samples += 1;
  hour.rows[row + SAMPLES] = samples;
  addTo(hour.rows, row + CPU, usage.cpuMillicores, samples);
  addTo(hour.rows, row + MEMORY, usage.memoryBytes, samples);
  if (usage.disk !== null) hour.rows[row + DISK] = usage.disk.usedBytes;
  else if (samples === 1) hour.rows[row + DISK] = NaN;
  const { percent, memoryBytes } = gpuUse(usage);
  if (percent === null && memoryBytes === null) return;
  hour.gpuRows ??= new Float32Array(BUCKETS * GPU_ROW).fill(NaN);
  const gpuRow = place * GPU_ROW;
  if (percent !== null) addTo(hour.gpuRows, gpuRow + GPU_LOAD, percent, samples);
  if (memoryBytes !== null) addTo(hour.gpuRows, gpuRow + GPU_MEMORY, memoryBytes, samples);
}

/** The open hours of one agent that began before a time, oldest first. */
export function openHours(history: UtilizationHistory, agentId: string, before = Infinity): readonly OpenHour[] {
  const hours = [...(history.get(agentId)?.values() ?? [])];
  return hours.filter(({ start }) => start < before).toSorted((a, b) => a.start - b.start);
}

/** The buckets of an open hour, in the order of time. */
export function bucketsOf(hour: OpenHour): readonly Bucket[] {
  const { rows, gpuRows } = hour;
  const buckets: Bucket[] = [];
  for (let place = 0; place < BUCKETS; place += 1) {
    const row = place * ROW;
    const samples = rows[row + SAMPLES] ?? 0;
    if (samples === 0) continue;
    const disk = rows[row + DISK] ?? NaN;
    buckets.push({
      at: hour.start + place * BUCKET_MS,
      samples,
      cpuMillicores: roundedSpread(spreadAt(rows, row + CPU), STEPS_PER_UNIT.cpuMillicores),
      memoryBytes: roundedSpread(spreadAt(rows, row + MEMORY), STEPS_PER_UNIT.memoryBytes),
      diskUsedBytes: Number.isNaN(disk) ? null : rounded(disk, STEPS_PER_UNIT.diskUsedBytes),
      gpuPercent: knownSpread(gpuRows, place * GPU_ROW + GPU_LOAD, STEPS_PER_UNIT.gpuPercent),
      gpuMemoryBytes: knownSpread(gpuRows, place * GPU_ROW + GPU_MEMORY, STEPS_PER_UNIT.gpuMemoryBytes),
    });
  }
  return buckets;
}

/** Takes over what another account of the same check-ins has: of two buckets of one time the fuller counts. */
export function absorb(history: UtilizationHistory, other: UtilizationHistory): void {
  for (const [agentId, hours] of other) {
    for (const theirs of hours.values()) {
      const ours = openHour(history, agentId, theirs.start);
      for (let place = 0; place < BUCKETS; place += 1) takeFuller(ours, theirs, place);
    }
  }
}

/** Drops the hours that began before a time, of every agent, and tells whether there were any. */
export function forgetHours(history: UtilizationHistory, before: number): boolean {
  let any = false;
  for (const agentId of history.keys()) {
    for (const { start } of openHours(history, agentId, before)) {
      forgetHour(history, agentId, start);
      any = true;
    }
  }
  return any;
}

export function forgetHour(history: UtilizationHistory, agentId: string, start: number): void {
  const hours = history.get(agentId);
  hours?.delete(start);
  if (hours?.size === 0) history.delete(agentId);
}

function openHour(history: UtilizationHistory, agentId: string, start: number): OpenHour {
  let hours = history.get(agentId);
  if (hours === undefined) history.set(agentId, (hours = new Map()));
  let hour = hours.get(start);
  if (hour === undefined) {
    hour = { start, samples: 0, rows: new Float32Array(BUCKETS * ROW), gpuRows: null };
    hours.set(start, hour);
    if (hours.size > MOST_HOURS) hours.delete(Math.min(...hours.keys()));
  }
  return hour;
}

function takeFuller(ours: OpenHour, theirs: OpenHour, place: number): void {
  const row = place * ROW;
  const samples = theirs.rows[row + SAMPLES] ?? 0;
  const standing = ours.rows[row + SAMPLES] ?? 0;
  if (samples <= standing) return;
  ours.samples += samples - standing;
  ours.rows.set(theirs.rows.subarray(row, row + ROW), row);
  if (theirs.gpuRows === null && ours.gpuRows === null) return;
  const gpuRow = place * GPU_ROW;
  ours.gpuRows ??= new Float32Array(BUCKETS * GPU_ROW).fill(NaN);
  if (theirs.gpuRows === null) ours.gpuRows.fill(NaN, gpuRow, gpuRow + GPU_ROW);
  else ours.gpuRows.set(theirs.gpuRows.subarray(gpuRow, gpuRow + GPU_ROW), gpuRow);
}

/** `samples` counts this value too. What a GPU told weighs as much as the bucket's other samples, told or not. */
function addTo(rows: Float32Array, place: number, value: number, samples: number): void {
  const { lowest, mean, highest } = spreadAt(rows, place);
  const known = samples > 1 && !Number.isNaN(mean);
  rows[place] = known ? mean + (value - mean) / samples : value;
  rows[place + 1] = known ? Math.min(lowest, value) : value;
  rows[place + 2] = known ? Math.max(highest, value) : value;
}

function spreadAt(rows: Float32Array, place: number): Spread {
  return { mean: rows[place] ?? NaN, lowest: rows[place + 1] ?? NaN, highest: rows[place + 2] ?? NaN };
}

function knownSpread(rows: Float32Array | null, place: number, steps: number): Spread | null {
  if (rows === null) return null;
  const spread = spreadAt(rows, place);
  return Number.isNaN(spread.mean) ? null : roundedSpread(spread, steps);
}

/** Of the devices that tell: their mean load, and their memory in use together; null when none does. */
function gpuUse({ gpus }: Usage): { readonly percent: number | null; readonly memoryBytes: number | null } {
  let percents = 0;
  let load = 0;
  let memoryBytes: number | null = null;
  for (const { utilizationPercent, memoryUsedBytes } of gpus) {
    if (utilizationPercent !== null) {
      percents += 1;
      load += utilizationPercent;
    }
    if (memoryUsedBytes !== null) memoryBytes = (memoryBytes ?? 0) + memoryUsedBytes;
  }
  return { percent: percents === 0 ? null : load / percents, memoryBytes };
}
