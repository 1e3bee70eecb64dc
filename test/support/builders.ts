import type { ExecutionContext } from 'ava';
import type { CheckIn, GpuUse, ObservedSession } from '../../domain/checkIn.ts';
import type { Rejection } from '../../domain/decision.ts';
import type { ZoneFact } from '../../domain/events.ts';
import { approvalAt } from '../../domain/fleet/approval.ts';
import type { GpuNeed } from '../../domain/gpuNeed.ts';
import type { ImageNeeds } from '../../domain/images/image.ts';
import type { Labels } from '../../domain/labels.ts';
import type { Explanation } from '../../domain/placement/explanation.ts';
import type { GpuDevice, Hardware } from '../../domain/schemas.ts';
import type { AdvanceTime, JoinAgent, RequestSession, ZoneCommand, ZoneContext } from '../../domain/zone/commands.ts';
import { decideZone } from '../../domain/zone/decide.ts';
import { evolveZone } from '../../domain/zone/evolve.ts';
import { initialZone, type ZoneState } from '../../domain/zone/state.ts';

/** Builders for the specs of the rules: each says only what matters to its spec; everything else is ordinary. */

export const GIB = 1024 ** 3;
export const NOW = '2026-01-01T00:00:00.000Z';
/** The first approval that a fleet's log may have. */
export const APPROVAL = approvalAt({ time: NOW, version: 1 });

/** Follows that approval. */
export function aJoin(agentId: string): JoinAgent {
  return { type: 'JoinAgent', agentId, hostname: agentId, simulated: false, approval: APPROVAL };
}
export const LOG_ID = 'log-1';

/** Capacity and needs as the rules speak of them; a spec never counts in bytes. */
interface Size {
  readonly cores?: number;
  readonly gib?: number;
}

/** An image of 1 core and 1 GiB without a GPU. */
export function anImage({ cores = 1, gib = 1, ...change }: Size & Partial<ImageNeeds> = {}): ImageNeeds {
  return {
    imageId: 'desktop',
    revision: 1,
    reference: 'muster/desktop:1',
    digest: null,
    millicores: cores * 1000,
    memoryBytes: gib * GIB,
    cpuMode: 'shares',
    gpu: { kind: 'none' },
    gpuModel: null,
    gpuMemoryBytes: null,
    includeLabels: [],
    excludeLabels: [],
    ports: [],
    shmBytes: null,
    environment: {},
    command: null,
    ...change,
  };
}

export function gpus(count: number): GpuNeed {
  return { kind: 'count', count };
}

export const ALL_GPUS: GpuNeed = { kind: 'all' };

/** A healthy, usable device; its UUID and its PCI address follow from its index. */
export function aGpu(index: number, change: Partial<GpuDevice> = {}): GpuDevice {
  return {
    uuid: `GPU-${index}`,
    index,
    model: 'NVIDIA A100',
    memoryBytes: 80 * GIB,
    driver: '580.1',
    pciAddress: `0000:0${index}:00.0`,
    migMode: null,
    health: 'ok',
    healthReason: null,
    usable: true,
    unusableReason: null,
    ...change,
  };
}

/** What is measured on the device of that index: an idle one that tells no more than it must. */
export function aGpuUse(index: number, change: Partial<GpuUse> = {}): GpuUse {
  return {
    uuid: `GPU-${index}`,
    utilizationPercent: 0,
    memoryUsedBytes: GIB,
    temperatureCelsius: null,
    powerWatts: null,
    volatileUncorrected: null,
    aggregateUncorrected: null,
    retiredPages: null,
    remappedRows: null,
    retirementPending: null,
    newestXid: null,
    migInstances: [],
    ...change,
  };
}

export function aHardware({
  cores = 6,
  gib = 6,
  gpus: devices = [],
}: Size & { gpus?: readonly GpuDevice[] } = {}): Hardware {
  return { millicores: cores * 1000, memoryBytes: gib * GIB, swapBytes: 0, gpus: [...devices] };
}

interface AgentSetup extends Size {
  readonly id?: string;
  readonly gpus?: readonly GpuDevice[];
  readonly coresOverride?: number;
  readonly gibOverride?: number;
  readonly enabled?: boolean;
  /** `never`: joined, and nothing heard of it yet. */
  readonly connectivity?: 'never' | 'online' | 'late' | 'missing' | 'lost';
  readonly engineDown?: boolean;
  readonly labels?: Labels;
}

/** An agent that joined, checked in and is online: 6 cores, 6 GiB, no GPU, boot `boot-1`. */
export function anAgent(setup: AgentSetup = {}): readonly ZoneFact[] {
  const { id: agentId = 'agent-1', connectivity = 'online', enabled = true, engineDown = false } = setup;
  const hardware = aHardware(setup);
  const facts: ZoneFact[] = [{ type: 'AgentJoined', data: { agentId, hostname: agentId, simulated: false } }];
  if (connectivity === 'never') return facts;
  facts.push(
    {
      type: 'AgentBooted',
      data: { agentId, bootId: 'boot-1', previousBootId: null, agentVersion: '1', observedAt: NOW },
    },
    { type: 'AgentHardwareChanged', data: { agentId, hardware, previous: null } },
    { type: 'AgentReturned', data: { agentId, from: 'never' } },
  );
  if (setup.coresOverride !== undefined) facts.push(coresOverride(agentId, setup.coresOverride, hardware));
  if (setup.gibOverride !== undefined) facts.push(memoryOverride(agentId, setup.gibOverride, hardware));
  if (!enabled) facts.push({ type: 'AgentDisabled', data: { agentId } });
  if (setup.labels !== undefined) {
    facts.push({ type: 'AgentLabelsSet', data: { agentId, labels: setup.labels, previous: {} } });
  }
  if (engineDown) {
    const raised = { condition: 'DOCKER_DOWN', detail: 'no answer', mend: 'start it' } as const;
    facts.push({ type: 'AgentConditionRaised', data: { agentId, ...raised } });
  }
  if (connectivity === 'late') facts.push({ type: 'AgentWentLate', data: { agentId, silentSeconds: 30 } });
  if (connectivity === 'missing' || connectivity === 'lost') {
    facts.push({ type: 'AgentWentMissing', data: { agentId, silentSeconds: 60 } });
  }
  if (connectivity === 'lost') facts.push({ type: 'AgentDeclaredLost', data: { agentId, sessions: 0 } });
  return facts;
}

function coresOverride(agentId: string, cores: number, { millicores }: Hardware): ZoneFact {
  const data = { agentId, millicores: cores * 1000, previous: null, physicalMillicores: millicores };
  return { type: 'CoresOverrideSet', data };
}

function memoryOverride(agentId: string, gib: number, { memoryBytes }: Hardware): ZoneFact {
  const data = { agentId, memoryBytes: gib * GIB, previous: null, physicalMemoryBytes: memoryBytes };
  return { type: 'MemoryOverrideSet', data };
}

interface SessionSetup extends Size {
  readonly id?: string;
  readonly on?: string;
  readonly image?: ImageNeeds;
  readonly gpuUuids?: readonly string[];
  readonly priority?: number;
}

/** A session that is running on `agent-1`, with 1 core and 1 GiB. */
export function aSession(setup: SessionSetup = {}): readonly ZoneFact[] {
  const { id: sessionId = 's-1', on: agentId = 'agent-1' } = setup;
  return [
    ...aPlacedSession(setup),
    { type: 'SessionStarted', data: { sessionId, agentId, containerId: 'c-1', imageDigest: null, endpoints: [] } },
  ];
}

/** Placed, and not yet seen by its agent. */
export function aPlacedSession(setup: SessionSetup = {}): readonly ZoneFact[] {
  const { id: sessionId = 's-1', on: agentId = 'agent-1', gpuUuids = [] } = setup;
  const image =
    setup.image ?? anImage({ ...setup, gpu: gpuUuids.length === 0 ? { kind: 'none' } : gpus(gpuUuids.length) });
  const { millicores, memoryBytes } = image;
  const claim = { millicores, memoryBytes, gpuUuids: [...gpuUuids] };
  return [
    requested({ sessionId, image, priority: setup.priority ?? 0 }),
    { type: 'SessionPlaced', data: { sessionId, agentId, claim } },
  ];
}

/** A session in the line. */
export function aWaitingSession(setup: SessionSetup & { readonly maxWaitSeconds?: number } = {}): readonly ZoneFact[] {
  const { id: sessionId = 's-1', priority = 0, maxWaitSeconds = null } = setup;
  return [
    requested({ sessionId, image: setup.image ?? anImage(setup), priority, maxWaitSeconds }),
    { type: 'SessionWaiting', data: { sessionId, refusal: { agents: 0, codes: {}, nearest: [] } } },
  ];
}

export function aStop(sessionId = 's-1', agentId = 'agent-1'): readonly ZoneFact[] {
  return [{ type: 'SessionStopRequested', data: { sessionId, agentId, cause: 'USER', exitCode: null } }];
}

export function requested(change: Partial<RequestSession> = {}): ZoneFact {
  const { type: _, ...data } = aRequest(change);
  return { type: 'SessionRequested', data };
}

export function aRequest(change: Partial<RequestSession> = {}): RequestSession {
  return {
    type: 'RequestSession',
    sessionId: 's-1',
    image: anImage(),
    priority: 0,
    whenFull: 'queue',
    maxWaitSeconds: null,
    agentId: null,
    ...change,
  };
}

/** A check-in of `agent-1` that has applied everything: the same hardware and boot as `anAgent`'s, its engine up. */
export function aCheckIn(change: Partial<CheckIn> = {}): CheckIn {
  return {
    schemaVersion: 1,
    agentId: 'agent-1',
    bootId: 'boot-1',
    seq: 1,
    logId: LOG_ID,
    appliedVersion: 0,
    observedAt: NOW,
    agentVersion: '1',
    hostname: 'agent-1',
    simulated: false,
    hardware: aHardware(),
    usage: { cpuMillicores: 100, memoryBytes: GIB, disk: null, gpus: [], sessions: [] },
    engine: { status: 'up', version: '28' },
    sessions: [],
    orphans: [],
    unmanagedContainers: 0,
    ...change,
  };
}

/** The check-in as the command that the controller decides. */
export function said(change: Partial<CheckIn>): ZoneCommand {
  return { type: 'RecordCheckIn', checkIn: aCheckIn(change) };
}

/** A tick of time in which nothing came due but what is said. */
export function aTick(change: Partial<AdvanceTime> = {}): AdvanceTime {
  return { type: 'AdvanceTime', silences: [], windowSeconds: 30, overdueStarts: [], ...change };
}

export const ENGINE_DOWN: CheckIn['engine'] = { status: 'down', detail: 'no answer', mend: 'start it' };

export function observed(status: ObservedSession['status'], change: Partial<ObservedSession> = {}): ObservedSession {
  return {
    sessionId: 's-1',
    status,
    containerId: status === 'running' ? 'c-1' : null,
    exitCode: null,
    oomKilled: false,
    endpoints: [],
    failure: null,
    ...change,
  };
}

/** What was decided, to be compared whole. */
export interface Decided {
  readonly facts: readonly ZoneFact[];
  readonly rejection: Rejection | null;
  readonly explanation: Explanation | null;
  /** The state after the facts. */
  readonly state: ZoneState;
  expect(t: ExecutionContext, expected: readonly ZoneFact[]): void;
  refused(t: ExecutionContext, code: Rejection['code']): void;
}

export interface Situation {
  readonly state: ZoneState;
  /** How many commits there are: one per group given. */
  readonly version: number;
  readonly when: (command: ZoneCommand, now?: string) => Decided;
}

/** Each group is one commit of the zone's log. */
export function given(...groups: readonly (readonly ZoneFact[])[]): Situation {
  const version = groups.length;
  return { state: fold(groups), version, when: (command, now = NOW) => decided(fold(groups), version, command, now) };
}

function fold(groups: readonly (readonly ZoneFact[])[]): ZoneState {
  const state = initialZone();
  for (const [index, facts] of groups.entries()) {
    for (const fact of facts) evolveZone(state, fact, { version: index + 1, time: NOW });
  }
  return state;
}

function decided(state: ZoneState, version: number, command: ZoneCommand, now: string): Decided {
  const context: ZoneContext = { now, logId: LOG_ID, version };
  const decision = decideZone(state, command, context);
  const facts = decision.kind === 'accepted' ? decision.facts : [];
  const rejection = decision.kind === 'rejected' ? decision.rejection : null;
  const explanation = decision.kind === 'accepted' ? ((decision.detail ?? null) as Explanation | null) : null;
  for (const fact of facts) evolveZone(state, fact, { version: version + 1, time: now });
  return {
    facts,
    rejection,
    explanation,
    state,
    expect: (t, expected) => {
      t.is(rejection, null);
      t.deepEqual(facts, expected);
    },
    refused: (t, code) => {
      t.is(rejection?.code, code);
      t.deepEqual(facts, []);
    },
  };
}

/** The agent of a state, for a spec that knows that it is there. */
export function agentIn(state: ZoneState, agentId = 'agent-1') {
  const agent = state.agents.get(agentId);
  if (agent === undefined) throw new Error(`the spec has no agent ${agentId}`);
  return agent;
}
