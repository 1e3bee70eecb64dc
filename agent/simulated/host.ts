import type { Clock } from '../../infra/clock.ts';
import type { EngineFacts, SessionUse } from '../engine/port.ts';
import { gpuDevices, gpuUse, type GpuInventory } from '../observe/gpus.ts';
import type { GpuMemory, HostLook, HostObserver } from '../ports.ts';
import type { FakeEngine } from './engine.ts';
import { IDLE_SHARE, type SimulatedHost } from './hosts.ts';
import { dailyLoad, seedOf } from './load.ts';

/** Sessions of a moment, as far as they show in the figures of their host. */
export interface HostBurden {
  readonly use: SessionUse;
  /** By container id: UUIDs of the devices that it has. */
  readonly gpus: ReadonlyMap<string, readonly string[]>;
}

export const NO_BURDEN: HostBurden = { use: { millicores: 0, memoryBytes: 0 }, gpus: new Map() };

/** Share of a host that its other programs use at most. */
const OTHER_PROGRAMS = 0.3;

/** What a simulated host has and uses at a time: a pure function, so that its past can be told as well. */
export function lookAt(
  host: SimulatedHost,
): (nowMs: number, burden: HostBurden, facts: EngineFacts | null) => HostLook {
  const load = dailyLoad(seedOf(host.agentId));
  return (nowMs, burden, facts) => {
    const now = load(nowMs);
    const others = OTHER_PROGRAMS * now;
    const gpus = busyGpus(host, burden, nowMs);
    return {
      hardware: {
        millicores: host.cores * 1000,
        memoryBytes: host.memoryBytes,
        swapBytes: host.swapBytes,
        gpus: gpuDevices(host.gpus, facts),
      },
      usage: {
        cpuMillicores: Math.min(host.cores * 1000, Math.round(host.cores * 1000 * others) + burden.use.millicores),
        memoryBytes: Math.min(
          host.memoryBytes,
          Math.round(host.memoryBytes * (0.06 + others / 2)) + burden.use.memoryBytes,
        ),
        disk: { usedBytes: Math.round(host.diskBytes * (0.35 + 0.1 * now)), totalBytes: host.diskBytes },
        gpus: gpuUse(gpus),
      },
      gpuMemory: memoryHeld(gpus, burden),
    };
  };
}

export function simulatedHost(host: SimulatedHost, engine: FakeEngine, clock: Clock): HostObserver {
  const look = lookAt(host);
  return {
    look: (facts) => Promise.resolve(look(clock.now(), { use: engine.totalUse(), gpus: engine.gpusInUse() }, facts)),
  };
}

function busyGpus(host: SimulatedHost, burden: HostBurden, nowMs: number): GpuInventory {
  const used = new Set([...burden.gpus.values()].flat());
  const readings = host.gpus.readings.map((gpu) => {
    if (!used.has(gpu.uuid)) return gpu;
    const share = 0.4 + 0.6 * dailyLoad(seedOf(gpu.uuid))(nowMs);
    return {
      ...gpu,
      utilizationPercent: Math.round(100 * share),
      memoryUsedBytes: Math.round((gpu.memoryBytes ?? 0) * share * 0.9),
      temperatureCelsius: Math.round(34 + 40 * share),
      powerWatts: Math.round(((gpu.powerWatts ?? 0) / IDLE_SHARE) * share),
    };
  });
  return { ...host.gpus, readings };
}

/** A session has its devices alone, so all that is used on them is its own. */
function memoryHeld({ readings }: GpuInventory, burden: HostBurden): GpuMemory {
  const used = new Map(readings.map((gpu) => [gpu.uuid, gpu.memoryUsedBytes]));
  const shareOf = (uuid: string) => ({ uuid, memoryUsedBytes: used.get(uuid) ?? null });
  return new Map([...burden.gpus].map(([container, uuids]) => [container, uuids.map(shareOf)]));
}
