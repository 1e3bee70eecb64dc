import type { Commit } from '../../domain/commit.ts';
import type { ZoneState } from '../../domain/zone/state.ts';
import { feedEvent, feedEventText, type FeedEvent } from '../../infra/bus/feedEvent.ts';
import type { LogName } from '../../infra/log/port.ts';
import { isSameShown, type HeldAmounts } from '../../projections/capacityHistory.ts';
import { agentsMovedBy, heldOn, isSettingsChange, shownAfter, shownOf } from '../../projections/capacitySteps.ts';
import { startOf } from '../../projections/rollup.ts';
import type { CapacityShown, CapacityStep } from '../../projections/views.ts';
import { CHUNK_SECONDS } from './capacityChunk.ts';

/** What is to be written of one agent into one chunk. */
export interface Collected {
  /** Of the chunk, ms since 1970. */
  readonly start: number;
  /** What was so before; null: the agent was not there. */
  readonly before: CapacityShown | null;
  /** Since when that was so, as far as it was seen here; null: it was not. */
  readonly beforeSince: number | null;
  readonly steps: (CapacityStep & { readonly version: number })[];
  readonly changes: FeedEvent[];
  /** Of the last commit in which something of the agent moved, and what it held then. */
  version: number;
  held: HeldAmounts;
}

/** Looks at agents before and after each commit, and keeps what has moved until somebody takes it. */
export class CapacityCollector {
  readonly #log: LogName;
  /** By agent, in the order of time. */
  #collected = new Map<string, Collected[]>();
  /** When each agent's newest step was. */
  readonly #newest = new Map<string, number>();
  #size = 0;

  constructor(log: LogName) {
    this.#log = log;
  }

  /** Steps that nobody has taken. */
  get size(): number {
    return this.#size;
  }

  /** Has a commit folded by `apply`, which changes the state. */
  fold(commit: Commit, state: ZoneState, apply: () => void): void {
    const moved = [...agentsMovedBy(commit)].map((agentId) => ({ agentId, before: shownOf(state, agentId) }));
    apply();
    for (const { agentId, before } of moved) this.#look(agentId, before, commit, state);
    this.#noteChanges(commit);
  }

  /** All that was collected, by agent. */
  take(): ReadonlyMap<string, readonly Collected[]> {
    const taken = this.#collected;
    this.#collected = new Map();
    this.#size = 0;
    return taken;
  }

  #look(agentId: string, before: CapacityShown | null, commit: Commit, state: ZoneState): void {
    const at = Date.parse(commit.at);
    const collected = this.#chunkOf(agentId, at, before);
    collected.version = commit.version;
    collected.held = heldOn(state, agentId);
    this.#size += 1;
    const shown = shownAfter(state, agentId);
    if (before !== null && isSameShown(before, shown)) return;
    collected.steps.push({ at, version: commit.version, ...shown });
    this.#newest.set(agentId, at);
  }

  #chunkOf(agentId: string, at: number, before: CapacityShown | null): Collected {
    const chunks = this.#collected.get(agentId) ?? [];
    this.#collected.set(agentId, chunks);
    const start = startOf(at, CHUNK_SECONDS);
    const last = chunks.at(-1);
    if (last?.start === start) return last;
    const beforeSince = this.#newest.get(agentId) ?? null;
    const chunk = { start, before, beforeSince, steps: [], changes: [], version: 0, held: new Map() };
    chunks.push(chunk);
    return chunk;
  }

  #noteChanges(commit: Commit): void {
    for (const [index, event] of commit.events.entries()) {
      if (!isSettingsChange(event) || !('agentId' in event.data) || event.data.agentId === null) continue;
      const told = feedEvent.parse(JSON.parse(feedEventText(this.#log, commit, index)));
      this.#collected.get(event.data.agentId)?.at(-1)?.changes.push(told);
    }
  }
}
