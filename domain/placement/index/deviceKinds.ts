import type { GpuDevice } from '../../schemas.ts';
import type { ImageNeeds } from '../../images/image.ts';
import { hasMemory, hasModel } from '../devices.ts';

/** Kinds told apart; the last one takes in all further ones, and meets what any of them meets. */
const MOST_KINDS = 32;

/**
 * Devices of one model and memory size are of one kind: all of them meet an image's needs, or none does. A fleet has few.
 */
export class DeviceKinds {
  readonly #kinds = new Map<string, { readonly kind: number; readonly sample: GpuDevice }>();
  /** An agent's devices stay the same objects until its hardware changes, and are looked at far more often. */
  readonly #kindOf = new WeakMap<GpuDevice, number>();

  get count(): number {
    return Math.min(this.#kinds.size, MOST_KINDS);
  }

  learn(gpus: readonly GpuDevice[]): void {
    for (const gpu of gpus) {
      if (this.#kindOf.has(gpu)) continue;
      const key = keyOf(gpu);
      const known = this.#kinds.get(key) ?? { kind: Math.min(this.#kinds.size, MOST_KINDS - 1), sample: gpu };
      this.#kinds.set(key, known);
      this.#kindOf.set(gpu, known.kind);
    }
  }

  /** The kind of a device that was learned; -1 for one that was not. */
  of(gpu: GpuDevice): number {
    return this.#kindOf.get(gpu) ?? this.#kinds.get(keyOf(gpu))?.kind ?? -1;
  }

  /** The kinds of which a device may meet the image's model and memory constraints. */
  meeting(needs: ImageNeeds): readonly number[] {
    const kinds = new Set<number>();
    for (const { kind, sample } of this.#kinds.values()) {
      if (hasModel(sample, needs) && hasMemory(sample, needs)) kinds.add(kind);
    }
    return [...kinds];
  }
}

function keyOf({ model, memoryBytes }: GpuDevice): string {
  return `${memoryBytes ?? '?'} ${model}`;
}
