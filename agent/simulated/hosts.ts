import type { EngineFacts } from '../engine/port.ts';
import { UNTOLD, type GpuReading } from '../gpu/gpuReading.ts';
import { noGpus, type GpuInventory } from '../observe/gpus.ts';
import { seededRandom } from './load.ts';

/** One machine of the simulated fleet. */
export interface SimulatedHost {
  readonly agentId: string;
  readonly hostname: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly swapBytes: number;
  readonly diskBytes: number;
  readonly gpus: GpuInventory;
  readonly engineDown: boolean;
  readonly facts: EngineFacts;
}

const GIB = 1024 ** 3;
/** Power of a device without work, of its most. */
export const IDLE_SHARE = 0.12;

interface Kind {
  readonly name: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly swapGib: number;
  readonly gpus: number;
  readonly model: keyof typeof MODELS;
}

/** Memory as the drivers report it, somewhat less than what is on the box. */
const MODELS = {
  'NVIDIA H200': { memoryMib: 143_771, watts: 700 },
  'NVIDIA L40S': { memoryMib: 46_068, watts: 350 },
  'NVIDIA A10': { memoryMib: 23_028, watts: 150 },
} as const;

/** The fleet repeats this row. The third has a device that failed; the fifth's engine is down, for good. */
const KINDS: readonly Kind[] = [
  { name: 'gpu-h', cores: 128, memoryGib: 1024, swapGib: 0, gpus: 8, model: 'NVIDIA H200' },
  { name: 'cpu', cores: 32, memoryGib: 128, swapGib: 8, gpus: 0, model: 'NVIDIA A10' },
  { name: 'gpu-l', cores: 64, memoryGib: 512, swapGib: 0, gpus: 4, model: 'NVIDIA L40S' },
  { name: 'cpu', cores: 16, memoryGib: 64, swapGib: 8, gpus: 0, model: 'NVIDIA A10' },
  { name: 'edge', cores: 8, memoryGib: 32, swapGib: 4, gpus: 0, model: 'NVIDIA A10' },
  { name: 'gpu-a', cores: 32, memoryGib: 256, swapGib: 0, gpus: 2, model: 'NVIDIA A10' },
  { name: 'cpu', cores: 64, memoryGib: 256, swapGib: 16, gpus: 0, model: 'NVIDIA A10' },
  { name: 'gpu-a', cores: 16, memoryGib: 128, swapGib: 0, gpus: 1, model: 'NVIDIA A10' },
];
const WITH_FAILED_GPU = 2;
const WITH_ENGINE_DOWN = 4;

const facts: EngineFacts = {
  version: '28.5.2',
  apiVersion: '1.51',
  runtimes: ['io.containerd.runc.v2', 'nvidia', 'runc'],
  cdiDevices: [],
  dataRoot: '/var/lib/docker',
  storageDriver: 'overlay2',
  cgroupVersion: '2',
  nvidiaHook: true,
};

/** `count` machines, the same every time. */
export function simulatedHosts(count: number): readonly SimulatedHost[] {
  return Array.from({ length: count }, (_, index) => {
    const kind = KINDS[index % KINDS.length] ?? {
      name: 'cpu',
      cores: 8,
      memoryGib: 32,
      swapGib: 0,
      gpus: 0,
      model: 'NVIDIA A10',
    };
    const number = String(index + 1).padStart(2, '0');
    const random = seededRandom(index + 1);
    return {
      agentId: `sim-${number}`,
      hostname: `${kind.name}-${number}`,
      cores: kind.cores,
      // The kernel keeps a little for itself, so no machine reports a round number.
      memoryBytes: Math.round(kind.memoryGib * GIB * (0.975 + 0.01 * random())),
      swapBytes: kind.swapGib * GIB,
      diskBytes: (kind.gpus > 0 ? 3840 : 960) * 1e9,
      gpus: { ...noGpus, readings: gpusOf(kind, random, index === WITH_FAILED_GPU) },
      engineDown: index === WITH_ENGINE_DOWN,
      facts,
    };
  });
}

function gpusOf(kind: Kind, random: () => number, oneFailed: boolean): readonly GpuReading[] {
  const digits = (length: number): string =>
    Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
  return Array.from({ length: kind.gpus }, (_, index) => ({
    ...UNTOLD,
    index,
    uuid: `GPU-${digits(8)}-${digits(4)}-${digits(4)}-${digits(4)}-${digits(12)}`,
    model: kind.model,
    memoryBytes: MODELS[kind.model].memoryMib * 1024 ** 2,
    driver: '580.95.05',
    pciAddress: `00000000:${(0x18 + index * 0x11).toString(16).toUpperCase().padStart(2, '0')}:00.0`,
    volatileUncorrected: oneFailed && index === kind.gpus - 1 ? 3 : 0,
    aggregateUncorrected: oneFailed && index === kind.gpus - 1 ? 3 : 0,
    retirementPending: false,
    utilizationPercent: 0,
    memoryUsedBytes: 0,
    temperatureCelsius: 34,
    powerWatts: Math.round(MODELS[kind.model].watts * IDLE_SHARE),
  }));
}
