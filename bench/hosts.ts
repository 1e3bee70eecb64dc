import type { CheckIn, ObservedSession } from '../domain/checkIn.ts';
import type { GpuDevice, Hardware } from '../domain/schemas.ts';

/** The hosts of the reference fleet: all alike, 64 cores, 512 GiB and 4 GPUs each. */

export const GIB = 1024 ** 3;
const GPUS = 4;

export function agentIdOf(index: number): string {
  return `host-${String(index + 1).padStart(5, '0')}`;
}

export function hardwareOf(agentId: string): Hardware {
  return {
    millicores: 64_000,
    memoryBytes: 512 * GIB,
    swapBytes: 0,
    gpus: Array.from({ length: GPUS }, (_, index) => gpu(agentId, index)),
  };
}

export interface Spoken {
  readonly agentId: string;
  readonly bootId?: string;
  readonly seq: number;
  readonly logId: string | null;
  readonly appliedVersion: number;
  /** ISO time. */
  readonly observedAt: string;
  readonly hardware: Hardware;
  readonly sessions: readonly ObservedSession[];
  /** Whatever moves between two check-ins; every measured value follows from it. */
  readonly load: number;
}

/** A full check-in, as an agent's own: about 4 KB with ten sessions. */
export function checkInOf({ load, sessions, bootId = 'boot-1', ...spoken }: Spoken): CheckIn {
  return {
    schemaVersion: 1,
    bootId,
    agentVersion: '0.1.0',
    hostname: `${spoken.agentId}.fleet.example`,
    simulated: false,
    usage: {
      cpuMillicores: 1000 + (load % 60_000),
      memoryBytes: 40 * GIB + load * 4096,
      disk: { usedBytes: 200 * GIB + load * 4096, totalBytes: 1800 * GIB },
      gpus: spoken.hardware.gpus.map(({ uuid }, index) => ({
        uuid,
        utilizationPercent: (load + index * 7) % 100,
        memoryUsedBytes: (load % 40) * GIB,
        temperatureCelsius: 40 + (load % 30),
        powerWatts: 90 + (load % 200),
        volatileUncorrected: 0,
        aggregateUncorrected: 0,
        retiredPages: null,
        remappedRows: 0,
        retirementPending: false,
        newestXid: null,
        migInstances: [],
      })),
      sessions: sessions.map(({ sessionId }, index) => ({
        sessionId,
        millicores: 100 + ((load + index) % 3000),
        memoryBytes: GIB + load * 4096,
        gpus: [],
      })),
    },
    engine: { status: 'up', version: '28.5.1' },
    orphans: [],
    unmanagedContainers: 2,
    ...spoken,
    sessions: [...sessions],
  };
}

export function observed(sessionId: string, status: 'starting' | 'running' | 'exited'): ObservedSession {
  return {
    sessionId,
    status,
    containerId: status === 'starting' ? null : `c0ffee${sessionId}`,
    exitCode: status === 'exited' ? 0 : null,
    oomKilled: false,
    endpoints: [],
    failure: null,
  };
}

function gpu(agentId: string, index: number): GpuDevice {
  return {
    uuid: `GPU-${agentId}-${index}`,
    index,
    model: 'NVIDIA A100 80GB',
    memoryBytes: 80 * GIB,
    driver: '580.95.05',
    pciAddress: `0000:0${index}:00.0`,
    migMode: 'off',
    health: 'ok',
    healthReason: null,
    usable: true,
    unusableReason: null,
  };
}
