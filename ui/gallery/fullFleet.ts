import type { AgentView, SessionPhase, SessionView } from '../../projections/views.ts';
import type { LiveSnapshot } from '../data/fleet.ts';
import {
  agentRow,
  DOCKER_DOWN,
  GIB,
  gpuAgentRow,
  gpuRow,
  imageRow,
  NOON,
  pendingAgentRow,
  revokedAgentRow,
  secondsBefore,
  sessionRow,
  snapshot,
  trainingImageRow,
} from './fixtures.ts';
import { everyChange } from './overviewRows.ts';

/** A fleet as large as one page should bear with ease: 12 agents in every state, 40 sessions in every phase. */
export function fullFleet(now: number = NOON): LiveSnapshot {
  return snapshot({ agents: agents(now), sessions: sessions(now), images: images(), changes: everyChange(now) }, now);
}

function images(): LiveSnapshot['images'] {
  return [
    imageRow(),
    trainingImageRow(),
    imageRow({
      imageId: 'notebook',
      name: 'Notebook',
      reference: 'quay.io/jupyter/datascience-notebook:2026-10-01',
      gpu: { kind: 'all' },
      ports: [{ containerPort: 8888, protocol: 'tcp' }],
    }),
  ];
}

function agents(now: number): readonly AgentView[] {
  const heard = (seconds: number) => ({ lastCheckInAt: secondsBefore(seconds, now) });
  const host = (number: number, change: Partial<AgentView> = {}): AgentView =>
    agentRow({
      agentId: `host-${number}`,
      hostname: `host-${number}`,
      coresOverride: null,
      ...plain(number),
      ...heard(number % 9),
      ...change,
    });
  const over = {
    condition: 'OVER_ALLOCATED' as const,
    detail: 'over-allocated by 3 cores; nothing is evicted, nothing new is placed there',
    mend: 'raise the override, or let sessions end',
  };
  return [
    pendingAgentRow(heard(3)),
    agentRow(heard(4)),
    host(2, { intent: 'disabled', sentence: 'Online, disabled: it takes nothing new. No session on it.', sessions: 0 }),
    host(3, {
      conditions: [over],
      coresOverride: { value: 4000, setWhenPhysical: 8000 },
      capacity: { millicores: 4000, memoryBytes: 31.2 * GIB, gpus: 0 },
      allocated: { millicores: 7000, memoryBytes: 14 * GIB, gpus: 0 },
    }),
    host(4, {
      connectivity: 'missing',
      sentence: 'Missing: it has stopped checking in. 2 sessions on it, unknown until it returns.',
      ...heard(260),
    }),
    host(5, {
      connectivity: 'late',
      sentence: 'Late: check-ins are overdue, nothing new is placed. 2 sessions on it.',
      ...heard(41),
    }),
    host(6, {
      conditions: [DOCKER_DOWN],
      sentence: 'Online, but its container engine is down. No session on it.',
      engineVersion: null,
      sessions: 0,
    }),
    host(7, {
      coresOverride: { value: 12_000, setWhenPhysical: 6000 },
      memoryOverride: { value: 48 * GIB, setWhenPhysical: 31.2 * GIB },
    }),
    host(12, {
      memoryOverride: { value: 24 * 1024 ** 3, setWhenPhysical: 12 * 1024 ** 3 },
      memoryRisks: [
        { level: 'uncovered', sentence: '3 GiB not covered by RAM or swap: sessions can be killed' },
        { level: 'covered', sentence: '2 GiB past physical memory, covered by swap' },
      ],
    }),
    revokedAgentRow(heard(400)),
    host(8, { simulated: true, unmanagedContainers: 3 }),
    host(9, { simulated: true, zone: 'lab', hostname: 'a-host-with-a-rather-long-name.rack-17.example.internal' }),
    gpuAgentRow(heard(2)),
    gpuAgentRow({
      agentId: 'gpu-03',
      hostname: 'gpu-03',
      gpus: Array.from({ length: 8 }, (_, index) => gpuRow(index, { heldBy: index < 7 ? [`s-job-${index}`] : [] })),
      gpuCounts: { detected: 8, usable: 8, schedulable: 8, free: 1 },
      capacity: { millicores: 128_000, memoryBytes: 1007 * GIB, gpus: 8 },
      physical: { millicores: 128_000, memoryBytes: 1007 * GIB, gpus: 8 },
      allocated: { millicores: 112_000, memoryBytes: 896 * GIB, gpus: 7 },
      sentence: 'Online and enabled, 7 sessions on it.',
      ...heard(7),
    }),
  ];
}

function plain(number: number): Partial<AgentView> {
  return {
    physical: { millicores: 8000, memoryBytes: 31.2 * GIB, gpus: 0 },
    capacity: { millicores: 8000, memoryBytes: 31.2 * GIB, gpus: 0 },
    allocated: { millicores: (number % 5) * 1500, memoryBytes: (number % 5) * 4 * GIB, gpus: 0 },
    used: { cpuMillicores: 640 * number, memoryBytes: (3 + number) * GIB, disk: null, gpus: [], sessions: [] },
  };
}

const PHASES: readonly SessionPhase[] = [
  'running',
  'running',
  'running',
  'starting',
  'running',
  'stopping',
  'running',
  'ended',
  'waiting',
  'running',
];

function sessions(now: number): readonly SessionView[] {
  return Array.from({ length: 40 }, (_, place) => {
    const phase = PHASES[place % PHASES.length] ?? 'running';
    const base: Partial<SessionView> = {
      sessionId: `s-${(place * 7919 + 46_656).toString(36)}`,
      phase,
      requestedAt: secondsBefore(30 + place * 310, now),
      startedAt: phase === 'waiting' || phase === 'starting' ? null : secondsBefore(25 + place * 310, now),
      agentId: `host-${1 + (place % 9)}`,
      sentence: `${phase.charAt(0).toUpperCase()}${phase.slice(1)} on host-${1 + (place % 9)}.`,
      endpoints: [{ containerPort: 6901, protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 32_768 + place }],
    };
    return sessionRow({ ...base, ...special(phase, place, now) });
  });
}

function special(phase: SessionPhase, place: number, now: number): Partial<SessionView> {
  if (phase === 'waiting') {
    return {
      agentId: null,
      claim: null,
      endpoints: [],
      imageId: 'training',
      sentence:
        'Waiting for a place: GPU_NONE on 9 agents, GPU_FREE_INSUFFICIENT on 2. Nearest: gpu-02: wait for 1 GPU.',
    };
  }
  if (phase === 'ended') {
    return {
      claim: null,
      endpoints: [],
      endedAt: secondsBefore(20 + place * 300, now),
      cause: 'OOM_KILLED',
      exitCode: 137,
      sentence: 'Ended: the kernel killed it for want of memory.',
    };
  }
  if (phase === 'starting') return { endpoints: [] };
  if (place % 10 !== 4) return {};
  return {
    agentId: 'gpu-03',
    imageId: 'training',
    sentence: 'Running on gpu-03.',
    endpoints: [],
    claim: { millicores: 16_000, memoryBytes: 128 * GIB, gpuUuids: [gpuRow(1).uuid, gpuRow(2).uuid] },
  };
}
