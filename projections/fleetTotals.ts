import type { Amounts } from '../domain/agents/capacity.ts';
import type { AgentView, Connectivity, FleetTotals, Intent, LivePhase, SessionView } from './views.ts';

/** What one agent adds to the totals. */
interface Share {
  readonly connectivity: Connectivity;
  readonly intent: Intent;
  readonly isOpen: boolean;
  readonly allocated: Amounts;
  readonly capacity: Amounts | null;
  readonly measured: Measured | null;
  readonly gpus: FleetTotals['gpus'];
}

interface Measured {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  readonly ofMillicores: number;
  readonly ofMemoryBytes: number;
  readonly at: string;
}

/**
 * The totals in the making: what each row adds, so that a changed row replaces what it added before and no other is
 * looked at again. Bounded by the fleet.
 */
export interface TotalsBook {
  readonly agents: Map<string, Share>;
  readonly sessions: Map<string, LivePhase>;
  readonly phases: Record<LivePhase, number>;
}

const NO_AMOUNTS: Amounts = { millicores: 0, memoryBytes: 0, gpus: 0 };

export function emptyTotals(): TotalsBook {
  return {
    agents: new Map(),
    sessions: new Map(),
    phases: { waiting: 0, placed: 0, starting: 0, running: 0, stopping: 0, unknown: 0 },
  };
}

/** Null: the agent is on no list any more. */
export function countAgent(book: TotalsBook, agentId: string, agent: AgentView | null): void {
  if (agent === null) book.agents.delete(agentId);
  else book.agents.set(agentId, shareOf(agent));
}

/** Null: the session is over and forgotten. */
export function countSession({ sessions, phases }: TotalsBook, sessionId: string, session: SessionView | null): void {
  const before = sessions.get(sessionId);
  const phase = livePhase(session);
  if (before !== undefined) phases[before] -= 1;
  if (phase === null) {
    sessions.delete(sessionId);
    return;
  }
  phases[phase] += 1;
  sessions.set(sessionId, phase);
}

export function fleetTotals({ agents, phases }: TotalsBook): FleetTotals {
  const connectivity = { never: 0, online: 0, late: 0, missing: 0, lost: 0 };
  const intent = { pending: 0, enabled: 0, disabled: 0, revoked: 0 };
  const allocated = { ...NO_AMOUNTS };
  const capacity = { ...NO_AMOUNTS };
  const closed = { ...NO_AMOUNTS, agents: 0 };
  const gpus = { detected: 0, schedulable: 0, free: 0 };
  const used = { agents: 0, cpuMillicores: 0, memoryBytes: 0, ofMillicores: 0, ofMemoryBytes: 0 };
  let oldestAt: string | null = null;
  for (const share of agents.values()) {
    connectivity[share.connectivity] += 1;
    intent[share.intent] += 1;
    if (share.capacity === null) continue;
    add(allocated, share.allocated);
    add(capacity, share.capacity);
    gpus.detected += share.gpus.detected;
    gpus.schedulable += share.gpus.schedulable;
    gpus.free += share.gpus.free;
    if (!share.isOpen) {
      add(closed, share.capacity);
      closed.agents += 1;
    }
    const { measured } = share;
    if (measured === null) continue;
    used.agents += 1;
    used.cpuMillicores += measured.cpuMillicores;
    used.memoryBytes += measured.memoryBytes;
    used.ofMillicores += measured.ofMillicores;
    used.ofMemoryBytes += measured.ofMemoryBytes;
    if (oldestAt === null || measured.at < oldestAt) oldestAt = measured.at;
  }
  return {
    connectivity,
    intent,
    allocated,
    capacity,
    closed,
    used: { ...used, oldestAt },
    gpus,
    sessions: { ...phases },
  };
}

function shareOf(agent: AgentView): Share {
  const { connectivity, intent, allocated, capacity, conditions, gpuCounts } = agent;
  const engineDown = conditions.some(({ condition }) => condition === 'DOCKER_DOWN');
  return {
    connectivity,
    intent,
    isOpen: connectivity === 'online' && intent === 'enabled' && !engineDown,
    allocated,
    // What is given up holds nothing and offers nothing.
    capacity: connectivity === 'lost' ? null : capacity,
    measured: measuredOf(agent),
    gpus: gpuCounts,
  };
}

function measuredOf({ connectivity, used, physical, lastCheckInAt }: AgentView): Measured | null {
  if (connectivity !== 'online' || used === null || physical === null || lastCheckInAt === null) return null;
  const { cpuMillicores, memoryBytes } = used;
  const { millicores: ofMillicores, memoryBytes: ofMemoryBytes } = physical;
  return { cpuMillicores, memoryBytes, ofMillicores, ofMemoryBytes, at: lastCheckInAt };
}

function livePhase(session: SessionView | null): LivePhase | null {
  if (session === null) return null;
  const { phase } = session;
  return phase === 'ended' || phase === 'refused' || phase === 'cancelled' ? null : phase;
}

function add(sum: { -readonly [Dimension in keyof Amounts]: number }, more: Amounts): void {
  sum.millicores += more.millicores;
  sum.memoryBytes += more.memoryBytes;
  sum.gpus += more.gpus;
}
