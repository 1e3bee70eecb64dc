import type { Usage } from '../../domain/checkIn.ts';
import type { GpuReading } from '../gpu/gpuReading.ts';
import type { GpuMemory } from '../ports.ts';

/** Sums what the processes of each container hold, per device; null when the driver does not tell of any of them. */
export function gpuMemoryOf(
  gpus: readonly GpuReading[],
  containers: ReadonlyMap<number, readonly string[]>,
): GpuMemory {
  const sums = new Map<string, Map<string, number | null>>();
  for (const { uuid, processes } of gpus) {
    for (const { pid, memoryBytes } of processes) {
      for (const container of containers.get(pid) ?? []) {
        const ofContainer = sums.get(container) ?? new Map<string, number | null>();
        const before = ofContainer.get(uuid) ?? null;
        ofContainer.set(uuid, memoryBytes === null ? before : (before ?? 0) + memoryBytes);
        sums.set(container, ofContainer);
      }
    }
  }
  return new Map([...sums].map(([container, ofContainer]) => [container, [...ofContainer].map(toShare)]));
}

function toShare([uuid, memoryUsedBytes]: [string, number | null]) {
  return { uuid, memoryUsedBytes };
}

/** The measured use of sessions, with what their containers hold of the GPUs. */
export function withGpuMemory(
  use: Usage['sessions'],
  sessions: readonly { readonly sessionId: string; readonly containerId: string | null }[],
  memory: GpuMemory,
): Usage['sessions'] {
  if (memory.size === 0) return use;
  const containers = new Map(sessions.map(({ sessionId, containerId }) => [sessionId, containerId]));
  return use.map((each) => {
    const gpus = memory.get(containers.get(each.sessionId) ?? '');
    return gpus === undefined ? each : Object.assign({}, each, { gpus });
  });
}
