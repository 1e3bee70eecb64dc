import { parseReference, type ImageReference } from '../../domain/images/reference.ts';

/**
 * Under which digest an image is known in the repository of a reference; null when it did not come from there: built on the
 * host, or pulled under another name. Engines leave the default registry away from what they tell.
 */
export function digestFor(reference: string, repoDigests: readonly string[]): string | null {
  const wanted = parseReference(reference);
  if (wanted === null) return null;
  const known = repoDigests.flatMap((each) => digestIn(each, wanted));
  if (wanted.digest !== null && known.includes(wanted.digest)) return wanted.digest;
  return known[0] ?? null;
}

function digestIn(repoDigest: string, { registry, path }: ImageReference): string[] {
  const known = parseReference(repoDigest);
  if (known === null || known.digest === null) return [];
  return known.registry === registry && known.path === path ? [known.digest] : [];
}

/** Containers that were asked about; more would only be of those that nobody removes. */
const MOST_REMEMBERED = 4_096;

type MadeFrom = { readonly Id: string; readonly Image: string; readonly Config: { readonly Image: string } };

/** Remembers by container what it was made from, so that the engine is asked once for each. */
export class ImageDigests {
  readonly #known = new Map<string, string | null>();

  /** `ask` gives the digests under which an image is known, by its id. */
  async of(container: MadeFrom, ask: (imageId: string) => Promise<readonly string[]>): Promise<string | null> {
    const known = this.#known.get(container.Id);
    if (known !== undefined) return known;
    const digest = digestFor(container.Config.Image, await ask(container.Image));
    this.#known.set(container.Id, digest);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
    return digest;
  }
}
