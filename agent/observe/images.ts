import type { HostImage } from '../../domain/checkIn.ts';
import type { Clock } from '../../infra/clock.ts';
import type { Engine, EngineImage } from '../engine/port.ts';

const READ_AGAIN_MS = 60_000;
/** What a check-in may say of images: the newest ones, and of each so many names. */
const IMAGES_LIMIT = 512;
const REFERENCES_LIMIT = 16;
const REFERENCE_LENGTH = 255;

/** The images on this host. They change by pulls and by hand, and to list them costs the engine, so it is asked rarely. */
export class ImageWatch {
  readonly #engine: Pick<Engine, 'images'>;
  readonly #clock: Clock;
  #readAt = -Infinity;
  #images: readonly HostImage[] | null = null;

  constructor(engine: Pick<Engine, 'images'>, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** Null until they were read once. */
  get current(): readonly HostImage[] | null {
    return this.#images;
  }

  /** An image was pulled: the next look asks. */
  changed(): void {
    this.#readAt = -Infinity;
  }

  /** Asks the engine when the last answer is a minute old, or an image was pulled since. */
  async look(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#readAt < READ_AGAIN_MS) return;
    this.#readAt = now;
    this.#images = told(await this.#engine.images());
  }
}

function told(images: readonly EngineImage[]): readonly HostImage[] {
  return images.slice(0, IMAGES_LIMIT).map(({ imageId, tags, digests, sizeBytes }) => ({
    imageId,
    references: (tags.length > 0 ? tags : digests)
      .filter(({ length }) => length <= REFERENCE_LENGTH)
      .slice(0, REFERENCES_LIMIT),
    sizeBytes,
  }));
}
