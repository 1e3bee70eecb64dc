import { isNamedBy, type PrunableImage } from '../../domain/pruning/plan.ts';

/**
 * Keeps the removal of an image and its use apart. Whoever wants to pull or start from a reference waits while an image of that name
 * is being removed; whoever removes one is told what is in use, and looks only when nobody can begin.
 */
export class ImageLane {
  readonly #users = new Map<string, number>();
  #removing: { readonly image: PrunableImage; readonly done: Promise<void> } | null = null;

  /** References that are being pulled or started from just now. */
  get used(): readonly string[] {
    return [...this.#users.keys()];
  }

  async use<T>(reference: string, work: () => Promise<T>): Promise<T> {
    while (this.#removing !== null && isNamedBy(this.#removing.image, reference)) await this.#removing.done;
    this.#users.set(reference, (this.#users.get(reference) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#users.get(reference) ?? 1) - 1;
      if (left === 0) this.#users.delete(reference);
      else this.#users.set(reference, left);
    }
  }

  /** One at a time. `work` looks at `used` before it removes: whoever is not in there by then waits for its end. */
  async remove<T>(image: PrunableImage, work: () => Promise<T>): Promise<T> {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#removing = { image, done };
    try {
      return await work();
    } finally {
      this.#removing = null;
      resolve();
    }
  }
}
