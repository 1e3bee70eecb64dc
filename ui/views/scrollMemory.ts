/**
 * Where each visited address was scrolled to. The browser cannot know, since a page has its height only after it is drawn;
 * so each entry of the history gets a number, and what was left is remembered by it.
 */
export class ScrollMemory {
  readonly #tops = new Map<number, number>();
  #entry = 0;
  #newest = 0;

  constructor() {
    history.scrollRestoration = 'manual';
    this.#mark();
  }

  /** To be asked once the address is another, before it is drawn: how far down that one was left, 0 when it is new, in px. */
  turned(): number {
    this.#tops.set(this.#entry, globalThis.scrollY);
    this.#mark();
    return this.#tops.get(this.#entry) ?? 0;
  }

  /** A number in the entry's own state, which is null in an entry that is new. */
  #mark(): void {
    const state: unknown = history.state;
    if (typeof state === 'number') {
      this.#entry = state;
      this.#newest = Math.max(this.#newest, state);
      return;
    }
    this.#newest += 1;
    this.#entry = this.#newest;
    history.replaceState(this.#entry, '');
  }
}
