import type { Usage } from '../domain/checkIn.ts';
import type { UtilizationPoint } from './views.ts';

/**
 * The utilization history of one agent, in memory: one bucket a minute for a day, in a ring that never grows. A minute in
 * which nothing was received has no bucket: a gap, never a zero and never interpolated.
 */
export const STEP_SECONDS = 60;
export const BUCKETS = (24 * 3600) / STEP_SECONDS;

interface Bucket {
  readonly at: number;
  readonly samples: number;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  readonly diskUsedBytes: number | null;
  readonly gpuPercent: number | null;
}

/** Per agent; a slot is the bucket's number modulo the size of the ring. */
export type UtilizationHistory = Map<string, (Bucket | undefined)[]>;

/** Adds what was measured at `at` (ms since the epoch). Older than what the slot holds already: ignored. */
export function addSample(history: UtilizationHistory, agentId: string, at: number, usage: Usage): void {
  let ring = history.get(agentId);
  if (ring === undefined) {
    // An array that never grew is dense and small; 1,440 buckets of an agent take about 150 KB.
    ring = Array.from<Bucket | undefined>({ length: BUCKETS });
    history.set(agentId, ring);
  }
  const start = at - (at % (STEP_SECONDS * 1000));
  const slot = (start / (STEP_SECONDS * 1000)) % BUCKETS;
  const before = ring[slot];
  if (before !== undefined && before.at > start) return;
  ring[slot] = before?.at === start ? merged(before, usage) : fresh(start, usage);
}

/** The buckets from `since` to `until` (ms), oldest first. */
export function utilizationOf(
  history: UtilizationHistory,
  agentId: string,
  since: number,
  until: number,
): readonly UtilizationPoint[] {
  const points: UtilizationPoint[] = [];
  for (const bucket of history.get(agentId) ?? []) {
    if (bucket === undefined || bucket.at < since || bucket.at > until) continue;
    const { at, cpuMillicores, memoryBytes, diskUsedBytes, gpuPercent } = bucket;
    points.push({
      at,
      cpuMillicores: Math.round(cpuMillicores),
      memoryBytes: Math.round(memoryBytes),
      diskUsedBytes,
      gpuPercent,
    });
  }
  return points.toSorted((a, b) => a.at - b.at);
}

function fresh(at: number, usage: Usage): Bucket {
  return {
    at,
    samples: 1,
    cpuMillicores: usage.cpuMillicores,
    memoryBytes: usage.memoryBytes,
    diskUsedBytes: usage.disk?.usedBytes ?? null,
    gpuPercent: gpuPercentOf(usage),
  };
}

/** Running averages; disk is a level, so the newest counts. */
function merged(bucket: Bucket, usage: Usage): Bucket {
  const samples = bucket.samples + 1;
  const average = (old: number, value: number) => old + (value - old) / samples;
  const gpu = gpuPercentOf(usage);
  return {
    at: bucket.at,
    samples,
    cpuMillicores: average(bucket.cpuMillicores, usage.cpuMillicores),
    memoryBytes: average(bucket.memoryBytes, usage.memoryBytes),
    diskUsedBytes: usage.disk?.usedBytes ?? bucket.diskUsedBytes,
    gpuPercent:
      bucket.gpuPercent === null || gpu === null ? (gpu ?? bucket.gpuPercent) : average(bucket.gpuPercent, gpu),
  };
}

/** Average over the devices that tell their load; null when none does. */
function gpuPercentOf({ gpus }: Usage): number | null {
  const known = gpus.flatMap(({ utilizationPercent }) => (utilizationPercent === null ? [] : [utilizationPercent]));
  return known.length === 0 ? null : known.reduce((sum, percent) => sum + percent, 0) / known.length;
}
