import type { Amounts } from '../domain/agents/capacity.ts';
import type { MemoryRisk } from '../domain/agents/memoryRisk.ts';
import type { Actor } from '../domain/events.ts';
import type { ImageDefinition } from '../domain/images/image.ts';
import type { Labels } from '../domain/labels.ts';
import type { AccessKey } from '../domain/keys/state.ts';
import type { Role } from '../domain/people/role.ts';
import type { PruneMode } from '../domain/pruneMode.ts';
import type { Claim, Condition, Endpoint, GpuDevice } from '../domain/schemas.ts';
import type { EndCause } from '../domain/endCauses.ts';
import type { RefusalSummary } from '../domain/sessions/events.ts';
import type { CheckIn, Health, HostImage, ObservedPull, Usage } from '../domain/checkIn.ts';

/** What people and scripts are shown. Pure data; the REST edge sends exactly these shapes, the dashboard draws them. */

/** An operator's number, and what was physically there when it was set. */
export interface OverrideView {
  readonly value: number;
  readonly setWhenPhysical: number | null;
}

export interface GpuView extends GpuDevice {
  readonly schedulable: boolean;
  /** Why it is not schedulable, in a sentence; null when it is. */
  readonly reason: string | null;
  readonly heldBy: readonly string[];
}

export type Connectivity = 'never' | 'online' | 'late' | 'missing' | 'lost';
export type Intent = 'pending' | 'enabled' | 'disabled' | 'revoked';

export interface AgentView {
  readonly agentId: string;
  readonly hostname: string;
  readonly zone: string;
  readonly simulated: boolean;
  /** Of its own secret; null: it has none, or none was told. */
  readonly fingerprint: string | null;
  /** ISO 8601; null: not revoked. */
  readonly revokedAt: string | null;
  readonly connectivity: Connectivity;
  readonly intent: Intent;
  readonly operation: 'none';
  readonly conditions: readonly { readonly condition: Condition; readonly detail: string; readonly mend: string }[];
  /** The four axes in one sentence. */
  readonly sentence: string;
  /** What the agent last reported, in whole; null until its first check-in after joining. */
  readonly physical: Amounts | null;
  readonly capacity: Amounts | null;
  readonly allocated: Amounts;
  readonly coresOverride: OverrideView | null;
  readonly memoryOverride: OverrideView | null;
  /** In the order of their keys. */
  readonly labels: Labels;
  readonly pruneMode: PruneMode;
  /** Null until the agent has reported its hardware. */
  readonly swapBytes: number | null;
  readonly memoryRisks: readonly MemoryRisk[];
  /** Measured at the last check-in, which the server received at `lastCheckInAt`; null when none was received yet. */
  readonly used: Usage | null;
  readonly lastCheckInAt: string | null;
  readonly gpus: readonly GpuView[];
  readonly gpuCounts: {
    readonly detected: number;
    readonly usable: number;
    readonly schedulable: number;
    readonly free: number;
  };
  readonly sessions: number;
  readonly engineVersion: string | null;
  readonly unmanagedContainers: number;
  /** Of the images on its host, null while not known. Layers that images share count in each of them. */
  readonly images: { readonly count: number; readonly totalBytes: number } | null;
  /** Changes with every change of an operator's setting: the ETag, and what `If-Match` is compared with. */
  readonly settingsVersion: number;
}

/** A zone at a glance. */
export interface ZoneSummary {
  readonly zone: string;
  /** How many agents have joined it, by connectivity. */
  readonly agents: Readonly<Record<Connectivity, number>>;
  /** Sessions in the line. */
  readonly waiting: number;
  /** Sessions that hold a claim. */
  readonly sessions: number;
  readonly conditions: readonly ZoneCondition[];
}

/**
 * All that the fleet has and holds, in sums. An agent in no zone, or declared lost, adds nothing but to the counts of
 * agents; sessions that are over are not counted.
 */
export interface FleetTotals {
  readonly connectivity: Readonly<Record<Connectivity, number>>;
  readonly intent: Readonly<Record<Intent, number>>;
  readonly allocated: Amounts;
  readonly capacity: Amounts;
  /** The part of the capacity that stands on agents which take nothing new now, and how many those are. */
  readonly closed: Amounts & { readonly agents: number };
  /** Of the agents that are online and were measured. A silent one counts as unknown, not as 0. */
  readonly used: {
    readonly agents: number;
    readonly cpuMillicores: number;
    readonly memoryBytes: number;
    readonly ofMillicores: number;
    readonly ofMemoryBytes: number;
    /** ISO 8601: the oldest of the check-ins that were summed up; null: there is none. */
    readonly oldestAt: string | null;
  };
  /** Devices that may be given out, and those of them that nobody holds. */
  readonly gpus: { readonly detected: number; readonly schedulable: number; readonly free: number };
  readonly sessions: Readonly<Record<LivePhase, number>>;
}

/** Trouble of the zone as a whole, derived and never recorded. `silent` of `expected` agents fell silent at once. */
export interface ZoneCondition {
  readonly condition: 'PARTITION_SUSPECTED';
  readonly silent: number;
  readonly expected: number;
  readonly detail: string;
  readonly mend: string;
}

export type SessionPhase =
  | 'waiting'
  | 'placed'
  | 'starting'
  | 'running'
  | 'stopping'
  | 'ended'
  | 'refused'
  | 'cancelled'
  | 'unknown';

/** The phases of a session that holds or wants something. */
export type LivePhase = Exclude<SessionPhase, 'ended' | 'refused' | 'cancelled'>;

export interface SessionView {
  readonly sessionId: string;
  readonly zone: string;
  readonly imageId: string;
  readonly imageRevision: number;
  /**
   * Of the image that its container was made from; until it runs, the one that was asked for. Null: nobody told, because a
   * tag was asked for and it does not run yet, or the image was never in a registry.
   */
  readonly imageDigest: string | null;
  readonly phase: SessionPhase;
  /** Where it stands and why, in one sentence. */
  readonly sentence: string;
  readonly agentId: string | null;
  /** Held on the agent from the decision until evidence that the container is gone; null before and after. */
  readonly claim: Claim | null;
  readonly endpoints: readonly Endpoint[];
  readonly priority: number;
  readonly requestedBy: Actor;
  readonly requestedAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly cause: EndCause | null;
  readonly exitCode: number | null;
  readonly refusal: RefusalSummary | null;
  /** How far its image is, while its agent pulls that. Measured, as its health: the newest check-in says so. */
  readonly pull: ObservedPull | null;
  /** What the image's own health check says while it runs; null when it has none. */
  readonly health: Health | null;
  readonly position: string;
}

/** What an operator should hear of without asking, in words: `host-1` `was disabled`. */
export interface ChangeView {
  /** Of the commit; together with `index` it is told apart from every other. */
  readonly position: string;
  readonly index: number;
  readonly at: string;
  readonly actor: Actor;
  readonly reason: string | null;
  readonly weight: 'good' | 'plain' | 'trouble';
  /** What it happened to; null: the words say it. */
  readonly about: { readonly kind: 'agent' | 'session' | 'image' | 'access'; readonly id: string } | null;
  readonly words: string;
}

export interface ImageView extends ImageDefinition {
  readonly position: string;
}

/** Somebody who may sign in. */
export interface PersonView {
  readonly personId: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: string;
}

/** An access key, without its secret, which nobody can see again. */
export interface AccessKeyView extends AccessKey {
  readonly expired: boolean;
}

/** A number for each bucket; null: it is not known. */
export type Column = readonly (number | null)[];

export interface SpreadColumns {
  readonly lowest: Column;
  readonly mean: Column;
  readonly highest: Column;
}

/**
 * The utilization of an agent as columns, all of one length, in the precision that it is kept in: millicores and MiB whole,
 * percent to a tenth. It begins with the first and ends with the last bucket of the range in which something was received.
 */
export interface UtilizationView {
  readonly agentId: string;
  /** Start of the first bucket, ms since the epoch, UTC. */
  readonly start: number;
  /** Width of a bucket, and so from one to the next. */
  readonly stepSeconds: number;
  /** Check-ins that were received in the bucket. 0: a gap, in which every other column has null. */
  readonly samples: readonly number[];
  readonly cpuMillicores: SpreadColumns;
  readonly memoryMib: SpreadColumns;
  /** A level: the newest one known. Null instead of columns, here and below: nobody told in all of the time. */
  readonly diskUsedMib: Column | null;
  /** Mean load of the agent's devices. */
  readonly gpuPercent: SpreadColumns | null;
  /** What is used on all of the agent's devices together. */
  readonly gpuMemoryMib: SpreadColumns | null;
}

/** What placement counts with; `capacity` is null while the hardware is not known. */
export interface CapacityShown {
  readonly capacity: Amounts | null;
  readonly allocated: Amounts;
}

/** The same from `at` (ms since the epoch, UTC) on. */
export interface CapacityStep extends CapacityShown {
  readonly at: number;
}

/** What the newest check-in says of the host, and what its zone knows of the program on it. */
export interface AgentHostView {
  readonly agentId: string;
  readonly hostname: string;
  readonly agentVersion: string;
  readonly bootId: string;
  /** When this boot was first heard of, by the agent's own clock; null: not recorded. ISO 8601. */
  readonly bootedAt: string | null;
  /** By the agent's own clock, and as the bus received it. ISO 8601. */
  readonly observedAt: string;
  readonly receivedAt: string;
  readonly engine: CheckIn['engine'];
  readonly millicores: number;
  readonly memoryBytes: number;
  readonly swapBytes: number;
  /** The file system of the engine's data root; null: not told. */
  readonly disk: Usage['disk'];
  /** Bytes per second, averaged since the check-in before; null: not told. */
  readonly network: { readonly receivedBytesPerSecond: number; readonly sentBytesPerSecond: number } | null;
  /** Largest first; null while they are not known. Layers that images share count in each of them. */
  readonly images: readonly HostImage[] | null;
  /** Containers with our label that the log does not want. */
  readonly orphans: readonly string[];
  readonly unmanagedContainers: number;
  /** There was more to tell than a check-in may hold. */
  readonly truncated: boolean;
}
