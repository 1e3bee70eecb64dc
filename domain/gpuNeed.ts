import { gpusText } from './units.ts';

/**
 * What an image needs of GPUs. Outside, "require GPU" and a count, where 0 means all; inside, a union, so that a bare 0
 * can never be read two ways.
 */
export type GpuNeed =
  | { readonly kind: 'none' }
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'all' };

export const NO_GPU: GpuNeed = { kind: 'none' };

/** The most devices one session may ask for by number. */
export const GPU_COUNT_LIMIT = 64;

/** The table of "require GPU" and "GPU count": on with 0 is all; off with a count is treated as required. */
export function gpuNeedFrom(requireGpu: boolean, count: number): GpuNeed {
  if (count > 0) return { kind: 'count', count };
  return requireGpu ? { kind: 'all' } : NO_GPU;
}

/** `no GPU`, `1 GPU`, `4 GPUs`, `all GPUs of one agent`. */
export function describeGpuNeed(need: GpuNeed): string {
  switch (need.kind) {
    case 'none':
      return 'no GPU';
    case 'all':
      return 'all GPUs of one agent';
    case 'count':
      return gpusText(need.count);
  }
}
