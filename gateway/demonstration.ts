import type { ImageDefinition } from '../domain/images/image.ts';
import type { GpuNeed } from '../domain/gpuNeed.ts';
import type { Clock } from '../infra/clock.ts';
import type { Core } from './core/core.ts';

/**
 * What a fleet of simulated agents starts with, so that there is something to look at: four images and some sessions, one
 * of which waits. All of it goes the way of any other command; only a fleet without images and sessions gets it.
 */
const GIB = 1024 ** 3;

const IMAGES: readonly ImageDefinition[] = [
  image('desktop', 'Desktop', 'docker.io/kasmweb/desktop:1.16.0', { cores: 2, gib: 4 }),
  image('notebook', 'Notebook', 'quay.io/jupyter/scipy-notebook:2025-11-03', { cores: 4, gib: 16 }),
  image(
    'training',
    'Training, 2 GPUs',
    'docker.io/pytorch/pytorch:2.5.1',
    { cores: 16, gib: 96 },
    { kind: 'count', count: 2 },
  ),
  image(
    'whole-node',
    'Whole node, all GPUs',
    'nvcr.io/nvidia/pytorch:25.09-py3',
    { cores: 32, gib: 256 },
    { kind: 'all' },
  ),
];

const SESSIONS = [
  ...Array.from({ length: 14 }, () => 'desktop'),
  ...Array.from({ length: 6 }, () => 'notebook'),
  ...Array.from({ length: 5 }, () => 'training'),
  'whole-node',
  'whole-node',
];

const LOOK_AGAIN_MS = 200;

/** Ends when everything was asked for, or when `signal` aborts. `expected`: how many agents approve themselves. */
export async function demonstrate(core: Core, clock: Clock, expected: number, signal: AbortSignal): Promise<void> {
  const zone = core.zones.get('default');
  // Its manager token stands in the fleet's log already.
  if (zone === undefined || core.fleetProjection.images.size > 0 || zone.projection.sessions.size > 0) return;
  for (const definition of IMAGES) {
    const command = { type: 'DefineImage', image: definition, ifRevision: 0 } as const;
    await core.fleet.submit({ key: `demonstration:${definition.imageId}`, recorded: true, actor: ACTOR, command });
  }
  while (!signal.aborted) {
    const agents = [...zone.projection.state.agents.values()];
    if (agents.filter(({ connectivity }) => connectivity === 'online').length >= expected) break;
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
  for (const [index, imageId] of SESSIONS.entries()) {
    const needs = IMAGES.find((definition) => definition.imageId === imageId);
    if (needs === undefined || signal.aborted) return;
    const { name: _, ...image } = needs;
    await zone.replica.submit({
      key: `demonstration:${index}`,
      recorded: true,
      actor: ACTOR,
      command: {
        type: 'RequestSession',
        sessionId: `s-simulated-${index + 1}`,
        image,
        priority: 0,
        whenFull: 'queue',
        maxWaitSeconds: null,
        agentId: null,
      },
    });
  }
}

const ACTOR = { kind: 'system', id: 'demonstration' } as const;

function image(
  imageId: string,
  name: string,
  reference: string,
  { cores, gib }: { readonly cores: number; readonly gib: number },
  gpu: GpuNeed = { kind: 'none' },
): ImageDefinition {
  return {
    imageId,
    name,
    revision: 1,
    reference,
    digest: null,
    millicores: cores * 1000,
    memoryBytes: gib * GIB,
    cpuMode: 'shares',
    gpu,
    gpuModel: null,
    gpuMemoryBytes: null,
    includeLabels: [],
    excludeLabels: [],
    ports: [{ containerPort: 6901, protocol: 'tcp' }],
    shmBytes: null,
    environment: {},
    command: null,
  };
}
