import type { Bus } from '../../infra/bus/connect.ts';
import { readChunk, type ChunkPlace } from '../../infra/bus/rollups.ts';
import type { Clock } from '../../infra/clock.ts';
import { coarsened, startOf, type Resolution } from '../../projections/rollup.ts';
import { columnsOf, parseChunk, type ChunkColumns } from '../../projections/rollupChunk.ts';
import { chunksIn, type Range } from '../../projections/rollupRange.ts';
import { bucketsOf, openHours, type UtilizationHistory } from '../../projections/utilization.ts';
import { utilizationView } from '../../projections/utilizationView.ts';
import type { UtilizationView } from '../../projections/views.ts';

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
   * The buckets of one width that a range touches. One that does not exist is a gap. Throws BusError while the bus is away: an
   * answer without what is stored would be full of gaps that are none.
   */
  async read(agentId: string, range: Range, resolution: Resolution): Promise<UtilizationView> {
    const { bucketSeconds } = resolution;
    const chunks = chunksIn(range, resolution, this.#clock.now());
    const stored = await Promise.all(chunks.map((start) => this.#chunk({ agentId, bucketSeconds, start })));
    const open = openHours(this.#open, agentId).flatMap(bucketsOf);
    const since = startOf(Math.max(0, range.since), bucketSeconds);
    const heard = columnsOf(since, bucketSeconds, coarsened(open, bucketSeconds));
    return utilizationView(agentId, range, bucketSeconds, [...stored.flatMap((chunk) => chunk ?? []), heard]);
  }

  async #chunk(place: ChunkPlace): Promise<ChunkColumns | null> {
    const text = await readChunk(this.#bus, place);
    return text === null ? null : parseChunk(text);
  }
}
