import type { Patience } from '../../gateway/controller/silence.ts';
import type { GpuDevice, Hardware } from '../../domain/schemas.ts';
import { GIB, aGpu } from '../support/builders.ts';
import { drawFaults, type FaultName, type Faults } from './faults.ts';
import type { Random, Sources } from './random.ts';

/** What a seed says of its world. Everything else follows from it and from the seed. */
export interface Plan {
  readonly agents: number;
  readonly gateways: number;
  readonly steps: number;
  /** The longest step in milliseconds. */
  readonly paceMs: number;
  readonly patience: Patience;
  /** Acts of people in a step, at most. */
  readonly rate: number;
  /** How often people ask for a session, relative to everything else that they do. */
  readonly demand: number;
  /** The largest session. */
  readonly cores: number;
  readonly gib: number;
  readonly gpus: number;
  /** Share of the sessions that want GPUs. */
  readonly gpuShare: number;
  /** Whether people label agents, and change what those prune. */
  readonly labels: boolean;
  /** Whether the bus asks gateways who may enter, and people approve, revoke and remove agents. */
  readonly identity: boolean;
  /** How long agents keep an image after the rule for its removal was first met. */
  readonly pruneGraceMs: number;
  readonly hardware: readonly Hardware[];
  readonly faults: Faults;
}

/** What somebody wants of a world, whatever its seed says. */
export interface Wishes {
  readonly agents?: number;
  readonly steps?: number;
  readonly gateways?: number;
  readonly labels?: boolean;
  readonly identity?: boolean;
  /** The world has these faults and no others. */
  readonly only?: readonly FaultName[];
}

const MODELS = ['NVIDIA A100', 'NVIDIA L4', 'NVIDIA H200'] as const;
const MANY_AGENTS = 40;

export function drawPlan(sources: Sources, { agents, steps, gateways, labels, identity, only }: Wishes): Plan {
  const size = sources('size');
  const people = sources('people');
  const many = size.chance(0.04);
  const drawnAgents = many ? MANY_AGENTS : size.int(1, 12);
  const fleet = agents ?? drawnAgents;
  return {
    agents: fleet,
    gateways: gateways ?? size.pick([1, 1, 1, 2, 3]),
    steps: steps ?? (many ? size.int(40, 80) : size.int(80, 240)),
    paceMs: Math.round(size.magnitude(500, 15_000)),
    patience: {
      checkInSeconds: size.pick([5, 10, 10, 20]),
      startTimeoutSeconds: size.pick([20, 120, 1800]),
      lostAfterSeconds: size.pick([null, null, null, 200]),
    },
    rate: people.int(1, 4),
    demand: people.int(10, 60),
    cores: people.int(1, 8),
    gib: people.int(1, 8),
    gpus: people.int(1, 4),
    gpuShare: people.next(),
    labels: labels ?? sources('labels').chance(0.5),
    identity: identity ?? sources('identity').chance(0.5),
    pruneGraceMs: sources('prune grace').pick([0, 0, 2000, 20_000]),
    hardware: drawHardware(sources('hardware'), fleet),
    faults: drawFaults(sources, only ?? null),
  };
}

/** Small hosts, so that the fleet is short of everything in turn. In some worlds all are alike. */
function drawHardware(random: Random, agents: number): readonly Hardware[] {
  const alike = random.chance(0.25);
  const models = random.int(1, MODELS.length);
  const most = random.pick([0, 2, 4, 8]);
  const first = oneHost(random, models, most);
  return Array.from({ length: agents }, (_, index) => {
    const { gpus, ...rest } = alike ? first : oneHost(random, models, most);
    // A device's UUID is its own, also where hosts are alike.
    const own = gpus.map((gpu) => Object.assign({}, gpu, { uuid: `GPU-${index + 1}-${gpu.index}` }));
    return { ...rest, gpus: own };
  });
}

function oneHost(random: Random, models: number, mostGpus: number): Hardware {
  const count = mostGpus === 0 ? 0 : random.int(0, mostGpus);
  const gpus: GpuDevice[] = Array.from({ length: count }, (_, index) =>
    aGpu(index, { model: MODELS[random.int(0, models - 1)] ?? MODELS[0] }),
  );
  return { millicores: random.int(2, 16) * 1000, memoryBytes: random.int(2, 16) * GIB, swapBytes: 0, gpus };
}
