import { formatBytes, formatCores } from '../../domain/units.ts';
import type { AgentView } from '../../projections/views.ts';
import { age, bytesOf, counted, measuredCores, percent } from './amounts.ts';

/** Agents check in this often; a measurement older than two of these is stale. */
const CHECK_IN_SECONDS = 10;

/** One resource of one agent: allocated against used. Fractions are of the bar's length, 0 to 1. */
export interface Bar {
  readonly label: string;
  /** `CPU 5 / 12 allocated (42 %),` */
  readonly allocatedText: string;
  /** `3.1 / 6 used (52 %), 4 s ago` */
  readonly usedText: string;
  readonly overAllocated: string | null;
  readonly stale: boolean;
  /** Nothing of the kind is there: words only, no bar. */
  readonly none: boolean;
  readonly allocated: number;
  readonly used: number;
  /** Where capacity ends on the bar: less than 1 only when something goes beyond it. */
  readonly capacity: number;
  /** Where physical ends, when an override makes it differ from capacity; else null. */
  readonly physical: number | null;
}

export interface Dimension {
  readonly label: string;
  readonly allocated: number;
  readonly capacity: number;
  readonly physical: number;
  readonly used: number | null;
  readonly pair: (part: number, whole: number) => string;
  readonly usedPair: (part: number, whole: number) => string;
  readonly amount: (value: number) => string;
}

/** The bars of an agent, in the order shown. Before its first check-in there is nothing to measure against: none. */
export function barsOf(agent: AgentView, nowMs: number): readonly Bar[] {
  const { physical, capacity, allocated, used } = agent;
  if (physical === null || capacity === null) return [];
  const seen = { stale: isStale(agent, nowMs), ago: agoText(agent, nowMs) };
  const cpu = bar(seen, {
    label: 'CPU',
    allocated: allocated.millicores,
    capacity: capacity.millicores,
    physical: physical.millicores,
    used: used?.cpuMillicores ?? null,
    pair: (part, whole) => `${formatCores(part)} / ${formatCores(whole)}`,
    usedPair: (part, whole) => `${measuredCores(part)} / ${formatCores(whole)}`,
    amount: (value) => counted(Number(formatCores(value)), 'core', 'cores'),
  });
  const memory = bar(seen, {
    label: 'RAM',
    allocated: allocated.memoryBytes,
    capacity: capacity.memoryBytes,
    physical: physical.memoryBytes,
    used: used?.memoryBytes ?? null,
    pair: bytesOf,
    usedPair: bytesOf,
    amount: formatBytes,
  });
  return [cpu, memory, gpuBar(agent, capacity.gpus, seen)];
}

export function isStale(agent: AgentView, nowMs: number): boolean {
  if (agent.connectivity !== 'online' || agent.lastCheckInAt === null) return true;
  return nowMs - Date.parse(agent.lastCheckInAt) > 2 * CHECK_IN_SECONDS * 1000;
}

/** `4 s ago`, or that there was no check-in yet. */
export function agoText(agent: AgentView, nowMs: number): string {
  return agent.lastCheckInAt === null ? 'not measured yet' : `${age(Date.parse(agent.lastCheckInAt), nowMs)} ago`;
}

/** When the use was measured. */
export interface Seen {
  readonly stale: boolean;
  readonly ago: string;
}

export function bar(seen: Seen, of: Dimension): Bar {
  const scale = Math.max(of.capacity, of.physical, of.allocated, of.used ?? 0, 1);
  const usedText =
    of.used === null
      ? `use ${seen.ago}`
      : `${of.usedPair(of.used, of.physical)} used (${percent(of.used, of.physical)}), ${seen.ago}`;
  const beyond = of.allocated - of.capacity;
  return {
    label: of.label,
    allocatedText: `${of.label} ${of.pair(of.allocated, of.capacity)} allocated (${percent(of.allocated, of.capacity)}),`,
    usedText,
    overAllocated: beyond > 0 ? `over-allocated by ${of.amount(beyond)}` : null,
    stale: seen.stale,
    none: false,
    allocated: of.allocated / scale,
    used: (of.used ?? 0) / scale,
    capacity: of.capacity / scale,
    physical: of.physical === of.capacity ? null : of.physical / scale,
  };
}

/** Whether there is nothing to say of GPUs but that there are none. */
export function hasNoGpu({ gpuCounts, allocated }: AgentView): boolean {
  return gpuCounts.detected === 0 && allocated.gpus === 0;
}

/** Devices are whole; their use is the mean utilisation over the devices that tell. */
function gpuBar(agent: AgentView, capacity: number, seen: Seen): Bar {
  const told = (agent.used?.gpus ?? []).flatMap((gpu) => gpu.utilizationPercent ?? []);
  const busy = told.length === 0 ? null : told.reduce((sum, each) => sum + each, 0) / told.length;
  const scale = Math.max(capacity, agent.allocated.gpus, 1);
  const beyond = agent.allocated.gpus - capacity;
  const none = hasNoGpu(agent);
  return {
    label: 'GPU',
    allocatedText: none
      ? 'GPU none'
      : `GPU ${agent.allocated.gpus} / ${capacity} allocated (${percent(agent.allocated.gpus, capacity)}),`,
    usedText: none ? '' : busy === null ? `use not told, ${seen.ago}` : `${Math.round(busy)} % busy, ${seen.ago}`,
    overAllocated: beyond > 0 ? `over-allocated by ${counted(beyond, 'GPU', 'GPUs')}` : null,
    stale: seen.stale,
    none,
    allocated: agent.allocated.gpus / scale,
    used: ((busy ?? 0) / 100) * (capacity / scale),
    capacity: capacity / scale,
    physical: null,
  };
}
