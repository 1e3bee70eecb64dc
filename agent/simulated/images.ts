import { isNamedBy } from '../../domain/pruning/plan.ts';
import { EngineError, EngineErrorCode } from '../engine/errors.ts';
import type { EngineImage, ImageRemoval } from '../engine/port.ts';

/** Every image weighs the same here. */
const IMAGE_BYTES = 1_200_000_000;

/**
 * The images of an engine in memory. What a reference names depends on nothing but the reference, until a registry gives it
 * another content.
 */
export class FakeImages {
  /** Newest last. Null: every image is here. */
  #images: EngineImage[] | null;
  /** How often a registry has given a tag another content. */
  readonly #contents = new Map<string, number>();
  readonly removed: string[] = [];

  constructor(references: ReadonlySet<string> | null) {
    this.#images = references === null ? null : [];
    for (const reference of references ?? []) this.arrive(reference);
  }

  get list(): readonly EngineImage[] {
    return this.#images ?? [];
  }

  /** Null: it is not here. */
  idOf(reference: string): string | null {
    if (this.#images === null) return this.#idIn(reference);
    return this.#images.find((image) => isNamedBy(image, reference))?.imageId ?? null;
  }

  /** It was pulled, or somebody built it; a tag that another image has moves here. The image's id. */
  arrive(reference: string): string {
    const imageId = this.#idIn(reference);
    if (this.#images === null) return imageId;
    const here = this.#images.find((image) => image.imageId === imageId);
    const image = here ?? { imageId, tags: [], digests: [], sizeBytes: IMAGE_BYTES };
    this.untag(reference);
    const named = reference.includes('@')
      ? { ...image, digests: [...image.digests, reference] }
      : { ...image, tags: [...image.tags, reference] };
    this.#images = [...this.#images.filter((each) => each.imageId !== imageId), named];
    return imageId;
  }

  /** Somebody takes a name away; its image stays. */
  untag(reference: string): void {
    const without = (names: readonly string[]) => names.filter((name) => name !== reference);
    this.#images =
      this.#images?.map((image) => ({ ...image, tags: without(image.tags), digests: without(image.digests) })) ?? null;
  }

  /** Somebody gives an image one more tag. */
  name(imageId: string, tag: string): void {
    this.untag(tag);
    this.#images =
      this.#images?.map((image) =>
        image.imageId === imageId ? Object.assign({}, image, { tags: [...image.tags, tag] }) : image,
      ) ?? null;
  }

  /** From now on a registry gives the tag another content. */
  renew(reference: string): void {
    this.#contents.set(reference, (this.#contents.get(reference) ?? 0) + 1);
  }

  /** True when the image is gone. */
  remove({ imageId, tags, whole }: ImageRemoval, isUsed: boolean): boolean {
    const image = this.#images?.find((each) => each.imageId === imageId);
    if (this.#images === null || image === undefined) return true;
    if (isUsed && whole) {
      throw new EngineError(EngineErrorCode.imageInUse, 'the container engine keeps it: it is used');
    }
    const left = image.tags.filter((tag) => !tags.includes(tag));
    if (whole && left.length > 0) {
      throw new EngineError(EngineErrorCode.imageInUse, `it was called ${left[0] ?? ''} meanwhile`);
    }
    const others = this.#images.filter((each) => each !== image);
    this.#images = whole ? others : [...others, { ...image, tags: left }];
    if (whole) this.removed.push(imageId);
    return whole;
  }

  #idIn(reference: string): string {
    const content = this.#contents.get(reference) ?? 0;
    return `sha256:${reference}${content === 0 ? '' : `#${content}`}`;
  }
}
