import type { Amounts } from '../domain/agents/capacity.ts';
import type { MemoryRisk } from '../domain/agents/memoryRisk.ts';
import type { Actor } from '../domain/events.ts';
import type { ImageDefinition } from '../domain/images/image.ts';
import type { Claim, Condition, Endpoint, GpuDevice } from '../domain/schemas.ts';
import type { EndCause } from '../domain/endCauses.ts';
import type { RefusalSummary } from '../domain/sessions/events.ts';
import type { Health, ObservedPull, Usage } from '../domain/checkIn.ts';

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
export type Intent = 'pending' | 'enabled' | 'disabled';

export interface AgentView {
  readonly agentId: string;
  readonly hostname: string;
  readonly zone: string;
  readonly simulated: boolean;
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

export interface SessionView {
  readonly sessionId: string;
  readonly zone: string;
  readonly imageId: string;
  readonly imageRevision: number;
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

export interface ImageView extends ImageDefinition {
  readonly position: string;
}

/** What was measured at one time. Disk is a level: the newest one known. Null: nobody told. */
export interface MeasuredUse {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  /** Mean load of the agent's devices, to a tenth. */
  readonly gpuPercent: number | null;
  /** What is used on all of the agent's devices together. */
  readonly gpuMemoryBytes: number | null;
}

/** One point of the utilization history: means over the bucket that starts at `at` (ms since the epoch, UTC). */
export interface UtilizationPoint extends MeasuredUse {
  readonly at: number;
  /** Check-ins that were received in the bucket. */
  readonly samples: number;
  readonly diskUsedBytes: number | null;
  readonly lowest: MeasuredUse;
  readonly highest: MeasuredUse;
}

export interface UtilizationView {
  readonly agentId: string;
  /** Width of a bucket. A missing bucket is a gap: nothing was received then. */
  readonly stepSeconds: number;
  readonly points: readonly UtilizationPoint[];
}
