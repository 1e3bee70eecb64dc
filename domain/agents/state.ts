import type { PruneMode } from '../pruneMode.ts';
import type { PruneMark } from '../pruning/record.ts';
import type { Condition, Hardware } from '../schemas.ts';

/**
 * What a zone knows of one agent, folded from its log. It is owned and mutated by the fold that made it (see
 * zone/state.ts); everybody else reads.
 */
export interface AgentState {
  readonly agentId: string;
  readonly hostname: string;
  readonly simulated: boolean;
  enabled: boolean;
  /** `never`: joined, but not yet heard caught up with its first desired document. `lost`: declared so, holds nothing. */
  connectivity: 'never' | 'online' | 'late' | 'missing' | 'lost';
  /** ISO time of the last that was heard of it before it went late or missing; null once it has returned. */
  silentSince: string | null;
  bootId: string | null;
  /** When this boot was first heard of, by the agent's own clock (ISO); null before the first. */
  bootObservedAt: string | null;
  /** Boots that were replaced; a process that still speaks for one is a clone. The newest 256. */
  readonly supersededBoots: Set<string>;
  hardware: Hardware | null;
  coresOverride: Override | null;
  memoryOverride: Override | null;
  /** In the order of their keys. */
  readonly labels: Map<string, string>;
  pruneMode: PruneMode;
  /** Which of its removals of images the log has; null before the first. */
  pruneMark: PruneMark | null;
  readonly conditions: Map<Condition, { readonly detail: string; readonly mend: string }>;
  readonly allocated: Allocation;
  readonly sessions: Set<string>;
  /** The version at which its desired document last changed. */
  desiredVersion: number;
  /** The version at which an operator's setting last changed: what `If-Match` compares. */
  settingsVersion: number;
}

export interface Override {
  readonly value: number;
  readonly setWhenPhysical: number | null;
}

/** The sum of the claims held on an agent. `gpus` maps a device's UUID to the session that holds it. */
export interface Allocation {
  millicores: number;
  memoryBytes: number;
  readonly gpus: Map<string, string>;
}

export const SUPERSEDED_BOOTS_KEPT = 256;

export function newAgent(
  joined: { agentId: string; hostname: string; simulated: boolean },
  version: number,
): AgentState {
  return {
    ...joined,
    enabled: true,
    connectivity: 'never',
    silentSince: null,
    bootId: null,
    bootObservedAt: null,
    supersededBoots: new Set(),
    hardware: null,
    coresOverride: null,
    memoryOverride: null,
    labels: new Map(),
    pruneMode: 'off',
    pruneMark: null,
    conditions: new Map(),
    allocated: { millicores: 0, memoryBytes: 0, gpus: new Map() },
    sessions: new Set(),
    desiredVersion: version,
    settingsVersion: version,
  };
}
