import { coresAllocatedSentence, formatBytes, formatCores } from '../../domain/units.ts';
import type { AgentHostView, AgentView, SessionView } from '../../projections/views.ts';
import { age, bytesOf, counted, measuredCores, percent, wholeBytes } from './amounts.ts';
import { agoText, barsOf, isStale, type Bar } from './bars.ts';
import { isOver, type Fleet } from './fleet.ts';

/** One resource with its two statistics: what is allocated of the capacity, and what was used at the last check-in. */
export interface Statistic {
  /** `5 of 12 CPUs allocated` */
  readonly allocated: string;
  /** `52 % of 6 CPUs used at the last check-in, 4 s ago` */
  readonly used: string;
  readonly bar: Bar;
  readonly stale: boolean;
}

/** Empty before the first check-in. */
export function statisticsOf(agent: AgentView, now: number): readonly Statistic[] {
  const { physical, capacity, allocated, used } = agent;
  const [cpu, memory, gpu] = barsOf(agent, now);
  if (physical === null || capacity === null || cpu === undefined || memory === undefined) return [];
  const stale = isStale(agent, now);
  const at = (text: string | null) =>
    text === null ? `Use ${agoText(agent, now)}` : `${text} used at the last check-in, ${agoText(agent, now)}`;
  const cores =
    used === null
      ? null
      : `${percent(used.cpuMillicores, physical.millicores)} of ${formatCores(physical.millicores)} CPUs`;
  const bytes =
    used === null ? null : `${percent(used.memoryBytes, physical.memoryBytes)} of ${wholeBytes(physical.memoryBytes)}`;
  return [
    {
      allocated: coresAllocatedSentence(allocated.millicores, capacity.millicores),
      used: at(cores),
      bar: cpu,
      stale,
    },
    {
      allocated: `${bytesOf(allocated.memoryBytes, capacity.memoryBytes).replace(' / ', ' of ')} allocated`,
      used: at(bytes),
      bar: memory,
      stale,
    },
    ...(gpu === undefined || gpu.none
      ? []
      : [
          {
            allocated: `${allocated.gpus} of ${counted(capacity.gpus, 'GPU', 'GPUs')} allocated`,
            used: gpu.usedText,
            bar: gpu,
            stale,
          },
        ]),
  ];
}

/** A fact in two or three words, and what it is. */
export type Fact = readonly [name: string, value: string];

export function hostFacts(host: AgentHostView, now: number): readonly Fact[] {
  const { disk, network, engine } = host;
  const skew = Math.round((Date.parse(host.observedAt) - Date.parse(host.receivedAt)) / 1000);
  return [
    ['Host name', host.hostname],
    ['Agent version', host.agentVersion],
    ['Container engine', engine.status === 'up' ? `Docker ${engine.version}` : `down: ${engine.detail}`],
    ['CPUs', formatCores(host.millicores)],
    [
      'Memory',
      `${formatBytes(host.memoryBytes)}, ${host.swapBytes === 0 ? 'no swap' : `and ${formatBytes(host.swapBytes)} swap`}`,
    ],
    [
      'Disk of the engine',
      disk === null
        ? 'not told'
        : `${bytesOf(disk.usedBytes, disk.totalBytes)} used (${percent(disk.usedBytes, disk.totalBytes)})`,
    ],
    [
      'Network',
      network === null
        ? 'not told'
        : `${formatBytes(network.receivedBytesPerSecond)}/s in, ${formatBytes(network.sentBytesPerSecond)}/s out`,
    ],
    ['Running for', host.bootedAt === null ? 'not recorded' : age(Date.parse(host.bootedAt), now)],
    ['Boot', host.bootId],
    ['Clock', Math.abs(skew) < 2 ? 'right' : `${Math.abs(skew)} s ${skew > 0 ? 'ahead' : 'behind'}`],
    ['Other containers', counted(host.unmanagedContainers, 'unmanaged', 'unmanaged')],
    ...(host.orphans.length === 0 ? [] : [['Orphans', host.orphans.join(', ')] as const]),
  ];
}

/** `docker.io/library/busybox:1`; of an image without a name, the head of its id. */
export function imageName({
  imageId,
  references,
}: Pick<NonNullable<AgentHostView['images']>[number], 'imageId' | 'references'>): string {
  return references.length === 0 ? `${imageId.replace(/^sha256:/, '').slice(0, 12)} (no name)` : references.join(', ');
}

/** Sessions that hold a claim on an agent, newest first, with the address at which each is reached first. */
export function sessionsOn(fleet: Fleet, agentId: string): readonly SessionView[] {
  return [...fleet.sessions.values()]
    .filter((session) => session.agentId === agentId && !isOver(session))
    .toSorted((a, b) => b.requestedAt.localeCompare(a.requestedAt) || a.sessionId.localeCompare(b.sessionId));
}

/** `1.2 of 2 CPUs, 512 MiB of 1 GiB` that a session uses of what it may; null while nobody told. */
export function sessionUse({ sessionId, claim }: SessionView, { used }: AgentView): string | null {
  const own = used?.sessions.find((each) => each.sessionId === sessionId);
  if (own === undefined || claim === null) return null;
  const cpu = `${measuredCores(own.millicores)} of ${formatCores(claim.millicores)} CPUs`;
  return `${cpu}, ${bytesOf(own.memoryBytes, claim.memoryBytes).replace(' / ', ' of ')}`;
}

/** Addresses at which this agent's sessions are reached; empty while none runs. */
export function sessionAddresses(sessions: readonly SessionView[]): readonly string[] {
  return [...new Set(sessions.flatMap(({ endpoints }) => endpoints.map(({ hostAddress }) => hostAddress)))].toSorted();
}

/** `4 GPUs, 2 schedulable`; null where there is none to show. */
export function gpuSummary({ gpuCounts: { detected, schedulable } }: AgentView): string | null {
  if (detected === 0) return null;
  const devices = counted(detected, 'GPU', 'GPUs');
  return schedulable === detected ? devices : `${devices}, ${schedulable} schedulable`;
}
