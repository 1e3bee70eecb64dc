import type { Bus } from '../../infra/bus/connect.ts';
import { BusError, BusErrorCode } from '../../infra/bus/errors.ts';
import { standingChunk, writeChunk } from '../../infra/bus/rollups.ts';
import type { Clock } from '../../infra/clock.ts';
import {
  coarsened,
  COARSER,
  FINE,
  mergedBuckets,
  startOf,
  type Bucket,
  type Resolution,
} from '../../projections/rollup.ts';
import { decodeChunk, encodeChunk } from '../../projections/rollupChunk.ts';

/** Others came between reading and writing so often in a row that something else is wrong. */
const ATTEMPTS = 8;

/**
 * Brings closed hours of one agent into the stored history: each hour's own chunk, and the chunks of the wider buckets
 * that it belongs to. `hours` are in the order of time, each with its buckets of ten seconds. Doing it twice, or by two
 * writers at once, changes nothing. Throws BusError.
 */
export async function storeHours(
  bus: Bus,
  clock: Clock,
  agentId: string,
  hours: readonly (readonly Bucket[])[],
): Promise<void> {
  const whole: Bucket[] = [];
  for (const hour of hours) whole.push(...(await mergeInto(bus, clock, agentId, FINE, hour)));
  for (const resolution of COARSER) {
    const wide = coarsened(whole, resolution.bucketSeconds);
    const chunks = Map.groupBy(wide, ({ at }) => startOf(at, resolution.chunkSeconds));
    for (const buckets of chunks.values()) await mergeInto(bus, clock, agentId, resolution, buckets);
  }
}

/** Read, merge, write, until nobody came between; resolves with the merged chunk. What is past keeping is not written. */
async function mergeInto(
  bus: Bus,
  clock: Clock,
  agentId: string,
  resolution: Resolution,
  buckets: readonly Bucket[],
): Promise<readonly Bucket[]> {
  const { bucketSeconds, chunkSeconds, keptSeconds } = resolution;
  const start = startOf(buckets[0]?.at ?? 0, chunkSeconds);
  const keptUntil = start + (chunkSeconds + keptSeconds) * 1000;
  const left = Math.ceil((keptUntil - clock.now()) / 1000);
  if (buckets.length === 0 || left <= 0) return buckets;
  const place = { agentId, bucketSeconds, start };
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    // The chunk of a closed hour is most often not there yet, and the first attempt to write it tells.
    const blind = attempt === 1 && resolution === FINE;
    const standing = blind ? null : await standingChunk(bus, place);
    const before = standing === null ? [] : (decodeChunk(standing.text) ?? []);
    const merged = mergedBuckets(before, buckets);
    if (merged === before) return merged;
    const text = encodeChunk(start, bucketSeconds, merged);
    if (await writeChunk(bus, place, { text, expected: standing?.sequence ?? 0, keptSeconds: left })) return merged;
  }
  const message = `the history of ${agentId} is being written by others all the time`;
  throw new BusError(BusErrorCode.Contended, message);
}
