/** So many changes are remembered at least; whoever has read less far reads everything. */
const KEPT = 20_000;

/** Which rows came, changed or went, in order: who keeps something sorted looks at those and not at all. */
export class ChangeLog {
  #ids: string[] = [];
  #dropped = 0;

  /** Where the next change will stand. */
  get end(): number {
    return this.#dropped + this.#ids.length;
  }

  add(id: string): void {
    this.#ids.push(id);
    if (this.#ids.length < 2 * KEPT) return;
    this.#ids = this.#ids.slice(KEPT);
    this.#dropped += KEPT;
  }

  /** What changed from there to the end, each once; null when that is forgotten. */
  since(place: number): ReadonlySet<string> | null {
    return place < this.#dropped ? null : new Set(this.#ids.slice(place - this.#dropped));
  }
}
