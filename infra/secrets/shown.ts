import type { Secret } from './port.ts';

/**
 * What a store shows, in memory: kept by whoever hears what is written, in the order in which it was written. `highest` is
 * the last revision that was heard of, removals included.
 */
export class ShownSecrets {
  readonly #secrets = new Map<string, Secret>();
  readonly #listeners = new Set<(name: string) => void>();
  #highest = 0;

  get highest(): number {
    return this.#highest;
  }

  get size(): number {
    return this.#secrets.size;
  }

  get(name: string): Secret | null {
    return this.#secrets.get(name) ?? null;
  }

  names(prefix: string): readonly string[] {
    return [...this.#secrets.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  /** `value` is null when the name was removed. What is older than what is shown changes nothing. */
  show(name: string, value: string | null, revision: number): void {
    this.#highest = Math.max(this.#highest, revision);
    const shown = this.#secrets.get(name);
    if (shown !== undefined && shown.revision >= revision) return;
    if (value !== null) this.#secrets.set(name, { value, revision });
    else if (!this.#secrets.delete(name)) return;
    this.#tell(name);
  }

  /** Only `names` stood when `revision` was the last one: what was written until then under another name is gone. */
  keepOnly(names: ReadonlySet<string>, revision: number): void {
    const gone = [...this.#secrets].filter(([name, shown]) => !names.has(name) && shown.revision <= revision);
    for (const [name] of gone) {
      this.#secrets.delete(name);
      this.#tell(name);
    }
  }

  /** The store went back to an earlier state, so revisions say nothing any more: everything is shown anew. */
  startAnew(): void {
    this.#highest = 0;
    this.keepOnly(new Set(), Infinity);
  }

  onChange(listener: (name: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  forgetListeners(): void {
    this.#listeners.clear();
  }

  #tell(name: string): void {
    for (const listener of this.#listeners) listener(name);
  }
}
