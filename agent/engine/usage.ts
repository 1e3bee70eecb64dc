import type { SessionUse } from './port.ts';

/** The part of the engine's "container stats" that is read here. */
export type EngineStats = {
  readonly read: string;
  readonly cpu_stats: { readonly cpu_usage: { readonly total_usage: number } };
  readonly memory_stats: {
    readonly usage?: number;
    readonly stats?: { readonly inactive_file?: number; readonly total_inactive_file?: number };
  };
};

/** One measurement of a session. */
export type UseSample = {
  readonly atMilliseconds: number;
  readonly cpuNanoseconds: number;
  /** Without the page cache that the kernel can take back at once. */
  readonly memoryBytes: number;
};

/** Null for a container that has ended: engines answer with zeros then. */
export function toSample(stats: EngineStats): UseSample | null {
  const usage = stats.memory_stats.usage;
  const atMilliseconds = Date.parse(stats.read);
  if (usage === undefined || Number.isNaN(atMilliseconds)) return null;
  // The first name is that of version 1 of control groups, where `inactive_file` leaves out the groups below.
  const cache = stats.memory_stats.stats?.total_inactive_file ?? stats.memory_stats.stats?.inactive_file ?? 0;
  return {
    atMilliseconds,
    cpuNanoseconds: stats.cpu_stats.cpu_usage.total_usage,
    memoryBytes: Math.max(0, usage - cache),
  };
}

/** Average CPU use between two measurements; null when they do not follow one another. */
export function useBetween(before: UseSample, after: UseSample): SessionUse | null {
  const milliseconds = after.atMilliseconds - before.atMilliseconds;
  const nanoseconds = after.cpuNanoseconds - before.cpuNanoseconds;
  if (milliseconds <= 0 || nanoseconds < 0) return null;
  return {
    millicores: Math.round(nanoseconds / milliseconds / 1_000),
    memoryBytes: after.memoryBytes,
  };
}
