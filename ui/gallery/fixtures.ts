import type { GpuUse } from '../../domain/checkIn.ts';
import type { Explanation, Reason } from '../../domain/placement/explanation.ts';
import type { AgentView, GpuView, ImageView, SessionView, ZoneSummary } from '../../projections/views.ts';
import type { LiveSnapshot } from '../data/fleet.ts';
import { noTotals } from './noTotals.ts';

/** Invented rows for the gallery and for tests of the page: each builder takes only what matters. */

export const GIB = 1024 ** 3;
/** The moment at which the fixtures play. */
export const NOON = Date.parse('2026-11-22T12:00:00.000Z');

export function secondsBefore(seconds: number, now: number = NOON): string {
  return new Date(now - seconds * 1000).toISOString();
}

/** The worked example of the rules: 6 CPUs overridden to 12, sessions of 2 and 3 CPUs on it. */
export function agentRow(change: Partial<AgentView> = {}): AgentView {
  return {
    agentId: 'host-1',
    hostname: 'host-1',
    fingerprint: '5f0c1a9be2d47786',
    revokedAt: null,
    zone: 'default',
    simulated: false,
    connectivity: 'online',
    intent: 'enabled',
    operation: 'none',
    conditions: [],
    sentence: 'Online and enabled, 2 sessions on it.',
    physical: { millicores: 6000, memoryBytes: 12 * GIB, gpus: 0 },
    capacity: { millicores: 12_000, memoryBytes: 12 * GIB, gpus: 0 },
    allocated: { millicores: 5000, memoryBytes: 5 * GIB, gpus: 0 },
    coresOverride: { value: 12_000, setWhenPhysical: 6000 },
    memoryOverride: null,
    labels: {},
    pruneMode: 'off',
    used: { cpuMillicores: 3100, memoryBytes: 3.1 * GIB, disk: null, gpus: [], sessions: [] },
    lastCheckInAt: secondsBefore(4),
    gpus: [],
    gpuCounts: { detected: 0, usable: 0, schedulable: 0, free: 0 },
    sessions: 2,
    engineVersion: '28.0.1',
    unmanagedContainers: 0,
    images: null,
    swapBytes: 0,
    memoryRisks: [],
    settingsVersion: 1,
    ...change,
  };
}

export function gpuRow(index: number, change: Partial<GpuView> = {}): GpuView {
  return {
    uuid: `GPU-5d0f2a7c-91b4-4c1e-8a55-00000000000${index}`,
    index,
    model: 'NVIDIA L40S',
    memoryBytes: 48 * GIB,
    driver: '570.86.15',
    pciAddress: `0000:0${index}:00.0`,
    migMode: null,
    health: 'ok',
    healthReason: null,
    usable: true,
    unusableReason: null,
    schedulable: true,
    reason: null,
    heldBy: [],
    ...change,
  };
}

const FALLEN_OFF = 'it has fallen off the bus (Xid 79): restart the host, and have its seat and power looked at';

/** An agent with four devices: one held, one free, one failed, one the engine cannot inject. */
export function gpuAgentRow(change: Partial<AgentView> = {}): AgentView {
  return agentRow({
    agentId: 'gpu-02',
    hostname: 'gpu-02',
    physical: { millicores: 64_000, memoryBytes: 251.6 * GIB, gpus: 4 },
    capacity: { millicores: 64_000, memoryBytes: 251.6 * GIB, gpus: 2 },
    allocated: { millicores: 8000, memoryBytes: 64 * GIB, gpus: 1 },
    coresOverride: null,
    used: {
      cpuMillicores: 21_340,
      memoryBytes: 118.2 * GIB,
      disk: null,
      gpus: [gpuUse(0, 87, 31.4), gpuUse(1, 0, 0.4)],
      sessions: [],
    },
    gpus: [
      gpuRow(0, { heldBy: ['s-train-1'] }),
      gpuRow(1),
      gpuRow(2, {
        health: 'failed',
        healthReason: FALLEN_OFF,
        schedulable: false,
        reason: FALLEN_OFF,
      }),
      gpuRow(3, {
        usable: false,
        unusableReason: 'no nvidia runtime',
        schedulable: false,
        reason: 'the container engine cannot inject it: no nvidia runtime',
      }),
    ],
    gpuCounts: { detected: 4, usable: 3, schedulable: 2, free: 1 },
    sessions: 1,
    sentence: 'Online and enabled, 1 session on it.',
    ...change,
  });
}

function gpuUse(index: number, utilizationPercent: number, gibibytes: number, change: Partial<GpuUse> = {}): GpuUse {
  return {
    uuid: gpuRow(index).uuid,
    utilizationPercent,
    memoryUsedBytes: gibibytes * GIB,
    temperatureCelsius: 61,
    powerWatts: 240,
    volatileUncorrected: 0,
    aggregateUncorrected: 0,
    retiredPages: null,
    remappedRows: 0,
    retirementPending: false,
    newestXid: null,
    migInstances: [],
    ...change,
  };
}

/** An agent with a device that goes on with a warning, and one that is divided by MIG. */
export function wornGpuRow(): AgentView {
  const instance = (profile: string) => ({
    uuid: null,
    profile,
    gpuInstance: 2,
    computeInstance: 0,
    memoryBytes: null,
  });
  const contained = 'Xid 94, a memory error that was contained';
  const mig = 'MIG mode is on, so it cannot be given to a session whole; turn it off with nvidia-smi -mig 0';
  return gpuAgentRow({
    gpus: [
      gpuRow(0, { health: 'warning', healthReason: contained }),
      gpuRow(1, { migMode: 'on', usable: false, unusableReason: mig, schedulable: false, reason: mig }),
    ],
    gpuCounts: { detected: 2, usable: 1, schedulable: 1, free: 1 },
    used: {
      cpuMillicores: 900,
      memoryBytes: 9 * GIB,
      disk: null,
      gpus: [
        gpuUse(0, 12, 3, { newestXid: { code: 94, at: secondsBefore(5400) }, aggregateUncorrected: 4 }),
        gpuUse(1, 0, 0, { migInstances: ['3g.40gb', '2g.20gb'].map(instance) }),
      ],
      sessions: [],
    },
  });
}

export function pendingAgentRow(change: Partial<AgentView> = {}): AgentView {
  return agentRow({
    agentId: 'host-new',
    hostname: 'host-new',
    zone: '',
    connectivity: 'never',
    intent: 'pending',
    sentence: 'Waiting for your approval; it runs nothing before.',
    capacity: null,
    allocated: { millicores: 0, memoryBytes: 0, gpus: 0 },
    coresOverride: null,
    sessions: 0,
    settingsVersion: 0,
    ...change,
  });
}

/** Revoked while it held something: nobody knows what became of that. */
export function revokedAgentRow(change: Partial<AgentView> = {}): AgentView {
  return agentRow({
    agentId: 'host-13',
    hostname: 'host-13',
    intent: 'revoked',
    revokedAt: secondsBefore(400),
    connectivity: 'missing',
    sentence: 'Revoked: it is not heard any more. 2 sessions on it, unknown. Declare it lost to free what it holds.',
    coresOverride: null,
    ...change,
  });
}

export const DOCKER_DOWN: AgentView['conditions'][number] = {
  condition: 'DOCKER_DOWN',
  detail: 'the container engine does not answer on /var/run/docker.sock',
  mend: 'start it with "systemctl start docker", or install it',
};

export function imageRow(change: Partial<ImageView> = {}): ImageView {
  return {
    imageId: 'desktop',
    name: 'Desktop',
    revision: 1,
    reference: 'docker.io/kasmweb/desktop:1.16.0',
    digest: null,
    millicores: 2000,
    memoryBytes: 4 * GIB,
    cpuMode: 'shares',
    gpu: { kind: 'none' },
    gpuModel: null,
    gpuMemoryBytes: null,
    includeLabels: [],
    excludeLabels: [],
    ports: [{ containerPort: 6901, protocol: 'tcp' }],
    shmBytes: null,
    environment: {},
    command: null,
    position: 'fleet:3',
    ...change,
  };
}

export function trainingImageRow(): ImageView {
  return imageRow({
    imageId: 'training',
    name: 'Training job',
    reference: 'docker.io/pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime',
    millicores: 8000,
    memoryBytes: 64 * GIB,
    cpuMode: 'quota',
    gpu: { kind: 'count', count: 1 },
    gpuModel: 'NVIDIA L40*',
    includeLabels: ['gpu=l40', 'rack'],
    excludeLabels: ['spot'],
    ports: [],
    revision: 4,
  });
}

export function sessionRow(change: Partial<SessionView> = {}): SessionView {
  return {
    sessionId: 's-7f3k2q',
    zone: 'default',
    imageId: 'desktop',
    imageRevision: 1,
    imageDigest: `sha256:${'3f9a'.repeat(16)}`,
    phase: 'running',
    sentence: 'Running on host-1.',
    agentId: 'host-1',
    claim: { millicores: 2000, memoryBytes: 4 * GIB, gpuUuids: [] },
    endpoints: [{ containerPort: 6901, protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 32_768 }],
    priority: 0,
    requestedBy: { kind: 'operator', id: 'admin' },
    requestedAt: secondsBefore(1900),
    startedAt: secondsBefore(1890),
    endedAt: null,
    cause: null,
    exitCode: null,
    refusal: null,
    pull: null,
    health: null,
    position: 'zone-default:12',
    ...change,
  };
}

export const LOWER_SCORE: Reason = {
  code: 'LOWER_SCORE',
  never: false,
  numbers: { load: 0.58, best: 0.33 },
  sentence: 'it would be loaded to 58 %, the chosen one to 33 %',
  fix: null,
};
const DISABLED: Reason = {
  code: 'AGENT_DISABLED',
  never: false,
  numbers: {},
  sentence: 'it is disabled',
  fix: 'enable it',
};
const MEMORY_SHORT: Reason = {
  code: 'MEMORY_SHORT',
  never: false,
  numbers: { requested: 4 * GIB, free: 3.6 * GIB, capacity: 12 * GIB },
  sentence: 'it has 3.6 GiB of memory free, 4 GiB are asked for',
  fix: 'end session s-81, or give it 412 MiB more',
};
const GPU_NONE: Reason = { code: 'GPU_NONE', never: true, numbers: {}, sentence: 'it has no GPU', fix: null };

export function placedExplanation(): Explanation {
  return {
    decision: 'placed',
    agentId: 'gpu-02',
    gpuUuids: [],
    agents: 3,
    complete: true,
    codes: {},
    candidates: [
      { agentId: 'gpu-02', outcome: 'chosen', load: 0.33, sessions: 1, reasons: [] },
      { agentId: 'host-1', outcome: 'fits', load: 0.58, sessions: 2, reasons: [LOWER_SCORE] },
      { agentId: 'host-2', outcome: 'refused', load: null, sessions: 0, reasons: [DISABLED] },
    ],
  };
}

/** The same with how many agents fit, and why not the others. */
export function countedExplanation(): Explanation {
  return { ...placedExplanation(), fits: 2, codes: { AGENT_DISABLED: 1 } };
}

export function refusedExplanation(): Explanation {
  return {
    decision: 'refused',
    agentId: null,
    gpuUuids: [],
    agents: 3,
    complete: true,
    codes: { AGENT_DISABLED: 1, MEMORY_SHORT: 3, GPU_NONE: 1 },
    candidates: [
      { agentId: 'host-3', outcome: 'refused', load: null, sessions: 2, reasons: [MEMORY_SHORT] },
      { agentId: 'host-2', outcome: 'refused', load: null, sessions: 0, reasons: [DISABLED, MEMORY_SHORT] },
      { agentId: 'host-1', outcome: 'refused', load: null, sessions: 2, reasons: [GPU_NONE, MEMORY_SHORT] },
    ],
  };
}

/** Of a fleet too large to be named whole. */
export function refusedByManyExplanation(): Explanation {
  const codes = { AGENT_DISABLED: 12, MEMORY_SHORT: 9961, GPU_NONE: 8200 };
  return { ...refusedExplanation(), agents: 9973, complete: false, codes };
}

/** A zone in which 9 of 40 agents fell silent at once. */
export function partitionedZoneRow(): ZoneSummary {
  const detail = '9 of 40 agents fell silent at once: this looks like a network partition; nothing is declared lost';
  const mend = 'look at the network between them and the bus; their sessions may well be running';
  return {
    zone: 'default',
    agents: { never: 0, online: 31, late: 0, missing: 9, lost: 0 },
    waiting: 0,
    sessions: 120,
    conditions: [{ condition: 'PARTITION_SUSPECTED', silent: 9, expected: 40, detail, mend }],
  };
}

export function snapshot(change: Partial<LiveSnapshot> = {}, now: number = NOON): LiveSnapshot {
  const serverTime = new Date(now).toISOString();
  return { agents: [], sessions: [], images: [], zones: [], totals: noTotals(), changes: [], serverTime, ...change };
}
