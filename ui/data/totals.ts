import { formatBytes } from '../../domain/units.ts';
import type { FleetTotals, LivePhase } from '../../projections/views.ts';
import { age, bytesOf, coresOf, counted, cpus, measuredCores, percent, whole } from './amounts.ts';
import { bar, type Bar, type Seen } from './bars.ts';
import { addressOf, type Page } from './page.ts';

/** The numbers of the whole fleet, worded as those of one agent are. */

/** A count that leads to what it counts. */
export interface CountLink {
  readonly count: number;
  readonly text: string;
  readonly href: string;
  readonly tone: 'ok' | 'busy' | 'idle' | 'warn' | 'danger';
}

/** CPU, RAM and GPUs: allocated and used of all agents together; none while no agent has a capacity. */
export function totalBars(totals: FleetTotals, nowMs: number): readonly Bar[] {
  const { allocated, capacity, used } = totals;
  if (capacity.millicores === 0) return [];
  const seen = seenAt(totals, nowMs);
  const measured = used.agents > 0;
  const cpu = bar(seen, {
    label: 'CPU',
    allocated: allocated.millicores,
    capacity: capacity.millicores,
    physical: used.ofMillicores,
    used: measured ? used.cpuMillicores : null,
    pair: (part, all) => `${coresOf(part)} / ${coresOf(all)}`,
    usedPair: (part, all) => `${measuredCores(part)} / ${coresOf(all)}`,
    amount: (value) => counted(value / 1000, 'core', 'cores'),
  });
  const memory = bar(seen, {
    label: 'RAM',
    allocated: allocated.memoryBytes,
    capacity: capacity.memoryBytes,
    physical: used.ofMemoryBytes,
    used: measured ? used.memoryBytes : null,
    pair: bytesOf,
    usedPair: bytesOf,
    amount: formatBytes,
  });
  return [plain(cpu), plain(memory), gpuBar(totals)];
}

/** `On 2 agents that take nothing new: 12 CPUs, 16 GiB, 1 GPU.`; null when every agent is open. */
export function closedText({ closed }: FleetTotals): string | null {
  if (closed.agents === 0) return null;
  const gpus = closed.gpus === 0 ? [] : [counted(closed.gpus, 'GPU', 'GPUs')];
  const parts = [cpus(closed.millicores), formatBytes(closed.memoryBytes), ...gpus];
  const agents = closed.agents === 1 ? '1 agent that takes' : `${whole(closed.agents)} agents that take`;
  return `Of the capacity ${parts.join(', ')} are on ${agents} nothing new now.`;
}

/** Agents by state, each a link to the table of these; states that nobody is in are left out, but for online. */
export function agentCounts({ connectivity, intent }: FleetTotals): readonly CountLink[] {
  const link = (state: string, count: number, text: string, tone: CountLink['tone']): CountLink => {
    return { count, text, tone, href: filtered('agents', 'state', state) };
  };
  const all = [
    link('pending', intent.pending, 'to approve', 'warn'),
    link('missing', connectivity.missing, 'missing', 'danger'),
    link('late', connectivity.late, 'late', 'warn'),
    link('online', connectivity.online, 'online', connectivity.online === 0 ? 'idle' : 'ok'),
    link('disabled', intent.disabled, 'disabled', 'idle'),
    // Whoever waits for approval counts as such, though it was never online either.
    ...(connectivity.never > intent.pending ? [link('never', connectivity.never, 'never online', 'idle')] : []),
    link('lost', connectivity.lost, 'declared lost', 'danger'),
    link('revoked', intent.revoked, 'revoked', 'idle'),
  ];
  return all.filter(({ count, text }) => count > 0 || text === 'online');
}

/**
 * Sessions that hold or want something: running, starting and waiting always, the others when there are any. Starting are
 * two phases, so that its link is to all of these sessions.
 */
export function sessionCounts({ sessions }: FleetTotals): readonly CountLink[] {
  const link = (phase: LivePhase | null, count: number, text: string, tone: CountLink['tone']): CountLink => {
    const href = phase === null ? addressOf({ page: 'sessions' }) : filtered('sessions', 'phase', phase);
    return { count, text, tone, href };
  };
  const starting = sessions.placed + sessions.starting;
  return [
    link('running', sessions.running, 'running', sessions.running === 0 ? 'idle' : 'ok'),
    link(null, starting, 'starting', starting === 0 ? 'idle' : 'busy'),
    link('waiting', sessions.waiting, 'waiting', sessions.waiting === 0 ? 'idle' : 'warn'),
    ...(sessions.stopping === 0 ? [] : [link('stopping', sessions.stopping, 'stopping', 'busy')]),
    ...(sessions.unknown === 0 ? [] : [link('unknown', sessions.unknown, 'unknown, on missing agents', 'danger')]),
  ];
}

/** Devices are whole: how many are free of those that may be given out. */
function gpuBar({ gpus, allocated, capacity }: FleetTotals): Bar {
  const none = gpus.detected === 0 && allocated.gpus === 0;
  const scale = Math.max(capacity.gpus, allocated.gpus, 1);
  const unfit = gpus.detected - gpus.schedulable;
  const beyond = allocated.gpus - capacity.gpus;
  const freeText = `GPU ${whole(gpus.free)} free of ${whole(gpus.schedulable)} schedulable`;
  return {
    label: 'GPU',
    allocatedText: none
      ? 'GPU none'
      : `${freeText}, ${whole(allocated.gpus)} allocated (${percent(allocated.gpus, capacity.gpus)})`,
    usedText: unfit === 0 ? '' : `${counted(unfit, 'more is', 'more are')} detected and cannot be given out`,
    overAllocated: beyond > 0 ? `over-allocated by ${counted(beyond, 'GPU', 'GPUs')}` : null,
    stale: false,
    none,
    allocated: allocated.gpus / scale,
    used: 0,
    capacity: capacity.gpus / scale,
    physical: null,
  };
}

/** The mark of what is physically there says nothing here: it is that of other agents than the capacity is. */
function plain(of: Bar): Bar {
  return { ...of, physical: null };
}

/** The age is that of the oldest check-in that was summed up. */
function seenAt({ used: { agents, oldestAt } }: FleetTotals, nowMs: number): Seen {
  if (oldestAt === null) return { stale: true, ago: 'not measured: no agent is online' };
  const ago = `by ${counted(agents, 'agent', 'agents')}, at most ${age(Date.parse(oldestAt), nowMs)} ago`;
  return { stale: false, ago };
}

function filtered(page: Page, name: string, value: string): string {
  return addressOf({ page, query: new URLSearchParams({ [name]: value }).toString() });
}
