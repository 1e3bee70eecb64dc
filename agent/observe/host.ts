import { statfs } from 'node:fs/promises';
import { cpus, uptime } from 'node:os';
import * as si from 'systeminformation';
import type { Usage } from '../../domain/checkIn.ts';
import type { Clock } from '../../infra/clock.ts';
import type { EngineFacts } from '../engine/port.ts';
import type { GpuInstrument } from '../gpu/instrument.ts';
import type { AgentLog, HostLook, HostObserver } from '../ports.ts';
import { GpuWatch } from './gpuWatch.ts';
import { networkUse, readNetwork, type NetworkCounters } from './network.ts';

/** GPUs and disk change slowly and cost most, so they are read beside the check-ins. */
const SLOW_FOR_MS = 9000;
const PERCENT_TO_MILLICORES = 10;

export interface HostOptions {
  readonly clock: Clock;
  readonly gpus: GpuInstrument;
  readonly log: AgentLog;
  /** Default: the counters of this system. */
  readonly readNetwork?: () => Promise<NetworkCounters | null>;
}

/** This machine: totals of the host itself, whatever limits the agent's own process may have. */
export function hostObserver(options: HostOptions): HostObserver {
  const { clock, log } = options;
  const cores = cpus().length;
  const gpus = new GpuWatch({ instrument: options.gpus, clock, log, uptimeMs: () => uptime() * 1000 });
  let disk: Usage['disk'] = null;
  let readAt = -Infinity;
  let reading: Promise<void> | null = null;
  let moved: { readonly counters: NetworkCounters | null; readonly at: number } = { counters: null, at: clock.now() };

  /** Averaged since the previous call, as the load of the processors is. */
  async function networkSinceThen(): Promise<Usage['network']> {
    const before = moved;
    moved = { counters: await (options.readNetwork ?? readNetwork)(), at: clock.now() };
    return networkUse(before.counters, moved.counters, moved.at - before.at);
  }

  async function readSlow(facts: EngineFacts | null): Promise<void> {
    try {
      const [space] = await Promise.all([diskSpace(facts?.dataRoot ?? null, log), gpus.read()]);
      disk = space;
    } catch (error) {
      log.error({ err: error }, 'GPUs and disk could not be read');
    } finally {
      reading = null;
    }
  }

  return {
    async look(facts): Promise<HostLook> {
      if (reading === null && clock.now() - readAt >= SLOW_FOR_MS) {
        const first = readAt === -Infinity;
        readAt = clock.now();
        reading = readSlow(facts);
        // The first check-in tells the whole hardware, or a start would look like a loss of all GPUs.
        if (first) await reading;
      }
      const [memory, load, network] = await Promise.all([si.mem(), si.currentLoad(), networkSinceThen()]);
      return {
        hardware: {
          millicores: cores * 1000,
          memoryBytes: memory.total,
          swapBytes: memory.swaptotal,
          gpus: gpus.devices(facts),
        },
        usage: {
          cpuMillicores: Math.min(
            cores * 1000,
            Math.max(0, Math.round(load.currentLoad * cores * PERCENT_TO_MILLICORES)),
          ),
          memoryBytes: Math.max(0, memory.total - memory.available),
          disk,
          network,
          gpus: gpus.use(),
        },
        gpuMemory: gpus.memory(),
      };
    },
  };
}

/** The file system of the engine's data root; null while the engine has not said where that is, or it cannot be read. */
async function diskSpace(dataRoot: string | null, log: AgentLog): Promise<Usage['disk']> {
  if (dataRoot === null) return null;
  try {
    const { bsize, blocks, bfree } = await statfs(dataRoot);
    return { usedBytes: (blocks - bfree) * bsize, totalBytes: blocks * bsize };
  } catch (error) {
    log.warn({ err: error, dataRoot }, 'the disk of the container engine could not be read');
    return null;
  }
}
