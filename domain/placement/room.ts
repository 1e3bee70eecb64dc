import type { Amounts } from '../agents/capacity.ts';
import type { ImageNeeds } from '../images/image.ts';
import type { GpuDevice } from '../schemas.ts';
import { hasMemory, hasModel } from './devices.ts';

/** What an agent has and holds, as far as room depends on it. */
export interface Holding {
  readonly capacity: Omit<Amounts, 'gpus'>;
  readonly allocated: Omit<Amounts, 'gpus'>;
  /** The schedulable ones, and whether a session holds them. */
  readonly gpus: readonly { readonly device: GpuDevice; readonly held: boolean }[];
}

export type Asked = Pick<ImageNeeds, 'millicores' | 'memoryBytes' | 'gpu' | 'gpuModel' | 'gpuMemoryBytes'>;

export interface Room {
  /** How many more fit. */
  readonly sessions: number;
  /** What the one after those is short of first. */
  readonly limit: 'cores' | 'memory' | 'GPUs';
}

/**
 * How many more sessions of one kind fit beside what is allocated, by capacity alone: equality fits, and what is not asked
 * for does not count. It is how often placement would say yes, one after another, to an agent that nothing else keeps closed.
 */
export function roomFor({ capacity, allocated, gpus }: Holding, needs: Asked): Room {
  const rooms: readonly Room[] = [
    { limit: 'cores', sessions: times(capacity.millicores - allocated.millicores, needs.millicores) },
    { limit: 'memory', sessions: times(capacity.memoryBytes - allocated.memoryBytes, needs.memoryBytes) },
    { limit: 'GPUs', sessions: devicesFor(gpus, needs) },
  ];
  return rooms.reduce((least, room) => (room.sessions < least.sessions ? room : least));
}

function times(free: number, asked: number): number {
  return asked === 0 ? Infinity : Math.max(0, Math.floor(free / asked));
}

/** "All" is every device of the agent for one session: each must be what is asked for, and none may be held. */
function devicesFor(gpus: Holding['gpus'], needs: Asked): number {
  const matching = gpus.filter(({ device }) => hasModel(device, needs) && hasMemory(device, needs));
  switch (needs.gpu.kind) {
    case 'none':
      return Infinity;
    case 'count':
      return times(matching.filter(({ held }) => !held).length, needs.gpu.count);
    case 'all':
      return gpus.length > 0 && matching.length === gpus.length && gpus.every(({ held }) => !held) ? 1 : 0;
  }
}
