/** How much memory EventStoreDB spends on them (ESConsts.CommitedEventsMemCacheLimit) and what it counts for each. */
const LIMIT_BYTES = 8 * 1_024 * 1_024;
const BYTES_EACH = 16 + 4 + 8;

/**
 * The ids written last and where: all that idempotency has to go by when any version is expected. Bounded, oldest out
 * first, and gone with the process, which is why EventStoreDB promises no idempotency there.
 */
export class RecentIds {
  readonly #places = new Map<string, { readonly stream: string; readonly number: number }>();
  #bytes = 0;

  add(id: string, stream: string, number: number): void {
    const replaced = this.#places.get(id);
    if (replaced !== undefined) this.#drop(id, replaced.stream);
    this.#places.set(id, { stream, number });
    this.#bytes += BYTES_EACH + stream.length * 2;
    for (const [oldest, place] of this.#places) {
      if (this.#bytes <= LIMIT_BYTES) break;
      this.#drop(oldest, place.stream);
    }
  }

  numberOf(id: string, stream: string): number | undefined {
    const place = this.#places.get(id);
    return place?.stream === stream ? place.number : undefined;
  }

  clear(): void {
    this.#places.clear();
    this.#bytes = 0;
  }

  #drop(id: string, stream: string): void {
    this.#places.delete(id);
    this.#bytes -= BYTES_EACH + stream.length * 2;
  }
}
