import type { Bucket, Spread } from './rollup.ts';
import type { MeasuredUse, UtilizationPoint } from './views.ts';

/** A bucket as it is shown. */
export function utilizationPoint(bucket: Bucket): UtilizationPoint {
  const { at, samples, diskUsedBytes } = bucket;
  return {
    at,
    samples,
    ...useOf(bucket, 'mean'),
    diskUsedBytes,
    lowest: useOf(bucket, 'lowest'),
    highest: useOf(bucket, 'highest'),
  };
}

function useOf({ cpuMillicores, memoryBytes, gpuPercent, gpuMemoryBytes }: Bucket, which: keyof Spread): MeasuredUse {
  return {
    cpuMillicores: cpuMillicores[which],
    memoryBytes: memoryBytes[which],
    gpuPercent: gpuPercent?.[which] ?? null,
    gpuMemoryBytes: gpuMemoryBytes?.[which] ?? null,
  };
}
