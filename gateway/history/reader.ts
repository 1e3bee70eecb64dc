import type { Bus } from '../../infra/bus/connect.ts';
import { readChunk } from '../../infra/bus/rollups.ts';
import type { Clock } from '../../infra/clock.ts';
import { coarsened, mergedBuckets, startOf, type Bucket, type Resolution } from '../../projections/rollup.ts';
import { decodeChunk } from '../../projections/rollupChunk.ts';
import { chunksIn, type Range } from '../../projections/rollupRange.ts';
import { bucketsOf, openHours, type UtilizationHistory } from '../../projections/utilization.ts';

/** Reads an agent's history: the stored chunks, and the hours that are still open in this gateway. */
export class HistoryReader {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #open: UtilizationHistory;

  constructor(bus: Bus, clock: Clock, open: UtilizationHistory) {
    this.#bus = bus;
    this.#clock = clock;
    this.#open = open;
  }

  /**
   * The buckets of one width that a range touches, in the order of time. A bucket that does not exist is a gap. Throws
   * BusError while the bus is away: an answer without what is stored would be full of gaps that are none.
   */
  async read(agentId: string, range: Range, resolution: Resolution): Promise<readonly Bucket[]> {
    const { bucketSeconds } = resolution;
    const chunks = chunksIn(range, resolution, this.#clock.now());
    const stored = await Promise.all(
      chunks.map(async (start) => {
        const text = await readChunk(this.#bus, { agentId, bucketSeconds, start });
        return text === null ? [] : (decodeChunk(text) ?? []);
      }),
    );
    const open = openHours(this.#open, agentId).flatMap(bucketsOf);
    const all = mergedBuckets(stored.flat(), coarsened(open, bucketSeconds));
    const first = startOf(Math.max(0, range.since), bucketSeconds);
    return all.filter(({ at }) => at >= first && at <= range.until);
  }
}
