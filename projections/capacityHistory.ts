import { allocatedOf, capacityOf, type Amounts } from '../domain/agents/capacity.ts';
import type { AgentState } from '../domain/agents/state.ts';
import type { ZoneEvent } from '../domain/events.ts';
import type { Claim } from '../domain/schemas.ts';
import type { CapacityShown, CapacityStep } from './views.ts';

/** Capacity and allocated of one agent through time, exact because they come from its events. */
export interface CapacityHistory {
  /** Oldest first, each from its time on until the next; the first is what was so at `since`. */
  readonly steps: readonly CapacityStep[];
  /** Before it nothing is known, ms since 1970. */
  readonly since: number;
}

type Settings = Pick<AgentState, 'hardware' | 'coresOverride' | 'memoryOverride'>;

/** An agent as its zone has it now. */
export interface AgentNow extends Settings {
  readonly allocated: Amounts;
}

export function agentNow(agent: AgentState): AgentNow {
  const { hardware, coresOverride, memoryOverride } = agent;
  return { hardware, coresOverride, memoryOverride, allocated: allocatedOf(agent) };
}

/** What each session holds on an agent, by its id. */
export type HeldAmounts = ReadonlyMap<string, Amounts>;

/**
 * Goes back from what is so now, undoing one event after the other. `newestFirst` are the agent's own, without a gap; before
 * `begins` (ms) they are not kept. What an event took away, as a claim that ended, is told by an earlier one, or is among
 * those `held` where they begin: else nothing before is known.
 */
export function capacityBefore(
  now: AgentNow,
  newestFirst: readonly ZoneEvent[],
  begins: number,
  held: HeldAmounts = new Map(),
): CapacityHistory {
  const { claims, lost } = claimsIn(newestFirst, held);
  const steps: CapacityStep[] = [];
  let at: AgentNow = now;
  const told = (since: number): CapacityHistory => {
    const all = [shownAt(since, at), ...steps.toReversed()];
    // Of what one commit did in several steps the last is shown, and nothing when it came to nothing.
    const ofCommits = all.filter((step, index) => step.at !== all[index + 1]?.at);
    return { steps: ofCommits.filter((step, index) => isNewAfter(ofCommits[index - 1], step)), since };
  };
  for (const event of newestFirst) {
    const time = Date.parse(event.occurredAt);
    const before = undone(at, event, { claims, lost });
    if (before === null) return told(time);
    if (!isShownSame(before, at)) steps.push(shownAt(time, at));
    at = before;
  }
  return told(begins);
}

interface Known {
  readonly claims: HeldAmounts;
  /** By the id of the event that declared an agent lost: what that ended; null when not all of it is known. */
  readonly lost: ReadonlyMap<string, readonly Amounts[] | null>;
}

/** Null: what was before cannot be told. */
function undone(at: AgentNow, event: ZoneEvent, { claims, lost }: Known): AgentNow | null {
  switch (event.type) {
    case 'SessionPlaced':
      return { ...at, allocated: sum(at.allocated, amountsOf(event.data.claim), -1) };
    case 'SessionEnded': {
      const claim = claims.get(event.data.sessionId);
      return claim === undefined ? null : { ...at, allocated: sum(at.allocated, claim, 1) };
    }
    case 'AgentDeclaredLost': {
      const ended = lost.get(event.id) ?? null;
      return ended && { ...at, allocated: ended.reduce((all, claim) => sum(all, claim, 1), at.allocated) };
    }
    case 'AgentHardwareChanged':
      return { ...at, hardware: event.data.previous };
    case 'CoresOverrideSet':
      return { ...at, coresOverride: overrideOf(event.data.previous) };
    case 'MemoryOverrideSet':
      return { ...at, memoryOverride: overrideOf(event.data.previous) };
    case 'AgentJoined':
    case 'AgentLeft':
      return null;
    case 'AgentBooted':
    case 'AgentEnabled':
    case 'AgentDisabled':
    case 'AgentLabelsSet':
    case 'PruneModeSet':
    case 'ImageRemoved':
    case 'ImageRemovalSkipped':
    case 'AgentWentLate':
    case 'AgentWentMissing':
    case 'AgentReturned':
    case 'AgentConditionRaised':
    case 'AgentConditionCleared':
    case 'SessionRequested':
    case 'SessionWaiting':
    case 'SessionRefused':
    case 'SessionCancelled':
    case 'SessionStarting':
    case 'SessionStarted':
    case 'SessionStartFailed':
    case 'SessionStopRequested':
    case 'LogSealed':
      return at;
  }
}

/** Forwards, since an agent that is declared lost takes with it whatever was placed there and has not ended. */
function claimsIn(newestFirst: readonly ZoneEvent[], heldBefore: HeldAmounts): Known {
  const claims = new Map(heldBefore);
  const lost = new Map<string, readonly Amounts[] | null>();
  const held = new Map(heldBefore);
  for (const { id, type, data } of newestFirst.toReversed()) {
    if (type === 'SessionPlaced') {
      const amounts = amountsOf(data.claim);
      claims.set(data.sessionId, amounts);
      held.set(data.sessionId, amounts);
    } else if (type === 'SessionEnded') {
      held.delete(data.sessionId);
    } else if (type === 'AgentDeclaredLost') {
      lost.set(id, held.size === data.sessions ? [...held.values()] : null);
      held.clear();
    }
  }
  return { claims, lost };
}

/** What a claim counts for. */
export function amountsOf({ millicores, memoryBytes, gpuUuids }: Claim): Amounts {
  return { millicores, memoryBytes, gpus: gpuUuids.length };
}

function sum(all: Amounts, part: Amounts, sign: 1 | -1): Amounts {
  return {
    millicores: all.millicores + sign * part.millicores,
    memoryBytes: all.memoryBytes + sign * part.memoryBytes,
    gpus: all.gpus + sign * part.gpus,
  };
}

function isShownSame(a: AgentNow, b: AgentNow): boolean {
  return a === b || isSameShown(shownAt(0, a), shownAt(0, b));
}

function isNewAfter(before: CapacityShown | undefined, shown: CapacityShown): boolean {
  return before === undefined || !isSameShown(before, shown);
}

/** Whether two moments look the same. */
export function isSameShown(a: CapacityShown, b: CapacityShown): boolean {
  return isSame(a.allocated, b.allocated) && isSame(a.capacity, b.capacity);
}

function isSame(a: Amounts | null, b: Amounts | null): boolean {
  return a?.millicores === b?.millicores && a?.memoryBytes === b?.memoryBytes && a?.gpus === b?.gpus;
}

/** What was physically there when it was set does not matter for capacity. */
function overrideOf(value: number | null): Settings['coresOverride'] {
  return value === null ? null : { value, setWhenPhysical: null };
}

function shownAt(at: number, now: AgentNow): CapacityStep {
  return { at, capacity: capacityOf(now), allocated: now.allocated };
}
