import { allocatedOf, capacityOf, type Amounts } from '../domain/agents/capacity.ts';
import type { Commit } from '../domain/commit.ts';
import type { AnyEvent } from '../domain/events.ts';
import type { ZoneState } from '../domain/zone/state.ts';
import { amountsOf, type HeldAmounts } from './capacityHistory.ts';
import type { CapacityShown, CapacityStep } from './views.ts';

/** Capacity and allocated of agents as steps, found by folding forwards. All of it is pure. */

/** An agent that is not in the zone has no capacity and holds nothing. */
const ABSENT: CapacityShown = { capacity: null, allocated: { millicores: 0, memoryBytes: 0, gpus: 0 } };

const SETTINGS: ReadonlySet<string> = new Set([
  'AgentJoined',
  'AgentEnabled',
  'AgentDisabled',
  'CoresOverrideSet',
  'MemoryOverrideSet',
  'AgentLabelsSet',
  'PruneModeSet',
]);
/** Whatever moves a line of an agent, or changes what it holds. */
const MOVING: ReadonlySet<string> = new Set([
  ...SETTINGS,
  'AgentHardwareChanged',
  'AgentDeclaredLost',
  'AgentLeft',
  'SessionPlaced',
  'SessionEnded',
]);

/** Whether an event is shown as a marker on the axis of time. */
export function isSettingsChange({ type }: Pick<AnyEvent, 'type'>): boolean {
  return SETTINGS.has(type);
}

/** The agents whose lines a commit may move. */
export function agentsMovedBy({ events }: Commit): ReadonlySet<string> {
  const moved = events.flatMap(({ type, data }) => {
    if (!MOVING.has(type) || !('agentId' in data) || data.agentId === null) return [];
    return [data.agentId];
  });
  return new Set(moved);
}

/** Null: the zone does not have it. */
export function shownOf({ agents }: ZoneState, agentId: string): CapacityShown | null {
  const agent = agents.get(agentId);
  return agent === undefined ? null : { capacity: capacityOf(agent), allocated: allocatedOf(agent) };
}

/** Once it was in the zone. */
export function shownAfter(state: ZoneState, agentId: string): CapacityShown {
  return shownOf(state, agentId) ?? ABSENT;
}

export function heldOn({ agents, sessions }: ZoneState, agentId: string): HeldAmounts {
  const held = new Map<string, Amounts>();
  for (const sessionId of agents.get(agentId)?.sessions ?? []) {
    const session = sessions.get(sessionId);
    if (session !== undefined && session.phase !== 'waiting') held.set(sessionId, amountsOf(session.claim));
  }
  return held;
}

/**
 * Of a span of `spanMs` in which more happened than `most`, the first and the last and those in which a line was lowest and
 * highest: whatever is left is exact, and so is what is drawn of a span that is a few pixels wide. Steps are in the order of
 * time.
 */
export function thinned(steps: readonly CapacityStep[], spanMs: number, most: number): readonly CapacityStep[] {
  const groups = Map.groupBy(steps, ({ at }) => Math.floor(at / spanMs));
  return [...groups.values()].flatMap((group) => (group.length <= most ? group : extremesOf(group)));
}

/** More than this is never left of a span: two lines of three dimensions, and both ends. */
export const MOST_EXTREMES = 14;

const DIMENSIONS: readonly (keyof Amounts)[] = ['millicores', 'memoryBytes', 'gpus'];

function extremesOf(group: readonly CapacityStep[]): readonly CapacityStep[] {
  const kept = new Set<number>([0, group.length - 1]);
  for (const line of ['capacity', 'allocated'] as const) {
    for (const dimension of DIMENSIONS) {
      const values = group.map((step) => step[line]?.[dimension] ?? 0);
      kept.add(values.indexOf(values.reduce((low, value) => Math.min(low, value))));
      kept.add(values.indexOf(values.reduce((high, value) => Math.max(high, value))));
    }
  }
  return group.filter((_, index) => kept.has(index));
}
