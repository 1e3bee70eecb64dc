import type { AgentHostView, UtilizationView } from '../../projections/views.ts';
import type { AgentEvent, AgentEventsPage } from '../data/agentEvents.ts';
import type { CapacityView } from '../data/agentHistory.ts';
import { GIB, NOON, secondsBefore } from './fixtures.ts';

/** Invented answers about one agent: its history, events and host. */

const ABOUT = { agentId: 'host-1' };
const HOUR_MS = 3_600_000;

/** An event so many minutes before `now`; `place` makes it another one. */
export function agentEvent<Event extends Pick<AgentEvent, 'type' | 'data'>>(
  place: number,
  minutes: number,
  event: Event,
  change: Partial<Pick<AgentEvent, 'actor' | 'reason'>> = {},
  now = NOON,
) {
  return {
    id: `00000000-0000-8000-8000-${String(place).padStart(12, '0')}`,
    schemaVersion: 1,
    occurredAt: secondsBefore(minutes * 60, now),
    actor: { kind: 'system', id: 'muster' } as const,
    correlationId: `command-${place}`,
    causationId: `command-${place}`,
    position: `zone-default:${place}`,
    index: 0,
    ...change,
    ...event,
  };
}

const ANNA = { actor: { kind: 'operator', id: 'anna' } } as const;

/** The newest first: a life with sessions, a silence, and settings that people changed. */
export function agentEvents(now = NOON): readonly AgentEvent[] {
  const claim = (cores: number) => ({ millicores: cores * 1000, memoryBytes: 2 * GIB, gpuUuids: [] });
  const why = { ...ANNA, reason: 'small desktops use a third of a core' };
  return [
    agentEvent(
      12,
      12,
      {
        type: 'SessionStarted',
        data: { sessionId: 's-7f3k2q', ...ABOUT, containerId: 'c', imageDigest: null, endpoints: [] },
      },
      {},
      now,
    ),
    agentEvent(
      11,
      13,
      { type: 'SessionPlaced', data: { sessionId: 's-7f3k2q', ...ABOUT, claim: claim(3) } },
      ANNA,
      now,
    ),
    agentEvent(10, 95, { type: 'AgentEnabled', data: ABOUT }, ANNA, now),
    agentEvent(9, 130, { type: 'AgentReturned', data: { ...ABOUT, from: 'missing' } }, {}, now),
    agentEvent(8, 180, { type: 'AgentDisabled', data: ABOUT }, { ...ANNA, reason: 'its power supply is changed' }, now),
    agentEvent(7, 185, { type: 'AgentWentMissing', data: { ...ABOUT, silentSeconds: 61 } }, {}, now),
    agentEvent(
      6,
      210,
      { type: 'SessionEnded', data: { sessionId: 's-older', ...ABOUT, cause: 'EXITED', exitCode: 0 } },
      {},
      now,
    ),
    agentEvent(
      5,
      260,
      { type: 'CoresOverrideSet', data: { ...ABOUT, millicores: 12_000, previous: null, physicalMillicores: 6000 } },
      why,
      now,
    ),
    agentEvent(
      4,
      300,
      { type: 'SessionPlaced', data: { sessionId: 's-older', ...ABOUT, claim: claim(2) } },
      { actor: { kind: 'automation', id: 'nightly' } },
      now,
    ),
    agentEvent(
      3,
      600,
      {
        type: 'AgentConditionRaised',
        data: { ...ABOUT, condition: 'DOCKER_DOWN', detail: 'the engine does not answer', mend: 'start it' },
      },
      {},
      now,
    ),
    agentEvent(2, 601, { type: 'AgentJoined', data: { ...ABOUT, hostname: 'host-1', simulated: false } }, {}, now),
    agentEvent(1, 602, { type: 'AgentApproved', data: { ...ABOUT, zone: 'default' } }, ANNA, now),
  ];
}

export function agentEventsPage(now = NOON, change: Partial<AgentEventsPage> = {}): AgentEventsPage {
  return { events: agentEvents(now), next: null, since: secondsBefore(30 * 86_400, now), ...change };
}

/** The worked example comes about: 2 of 6, then 12 by an override, 3 more, and 5 of 12 at the end. */
export function capacityView(now = NOON, change: Partial<CapacityView> = {}): CapacityView {
  const step = (minutes: number, allocated: number, capacity: number) => ({
    at: now - minutes * 60_000,
    allocated: { millicores: allocated * 1000, memoryBytes: allocated * GIB, gpus: allocated > 4 ? 1 : 0 },
    capacity: { millicores: capacity * 1000, memoryBytes: 12 * GIB, gpus: 2 },
  });
  const settings = new Set([
    'AgentEnabled',
    'AgentDisabled',
    'CoresOverrideSet',
    'MemoryOverrideSet',
    'AgentLabelsSet',
    'PruneModeSet',
  ]);
  return {
    since: now - 12 * HOUR_MS,
    thinnedToSeconds: null,
    steps: [step(720, 2, 6), step(260, 2, 12), step(210, 0, 12), step(100, 2, 12), step(13, 5, 12)],
    changes: agentEvents(now).filter(({ type }) => settings.has(type)),
    ...change,
  };
}

/** Buckets of a minute over the last day, with a silence of an hour, and GPUs. */
export function dayOfUse(now = NOON): UtilizationView {
  const step = 60_000;
  const start = Math.floor((now - 24 * HOUR_MS) / step) * step;
  const isSilent = (at: number) => at > now - 185 * 60_000 && at < now - 130 * 60_000;
  const column = <Value>(silent: Value, value: (place: number) => Value) =>
    Array.from({ length: 1440 }, (_, place) => (isSilent(start + place * step) ? silent : value(place)));
  const spread = (mean: (place: number) => number, less = 1, more = 1) => ({
    lowest: column(null, (place) => Math.round(mean(place) * less)),
    mean: column(null, (place) => Math.round(mean(place))),
    highest: column(null, (place) => Math.round(mean(place) * more)),
  });
  const wave = (place: number) => Math.sin(place / 90) + 0.4 * Math.sin(place / 7);
  return {
    agentId: 'host-1',
    start,
    stepSeconds: 60,
    samples: column(0, () => 6),
    cpuMillicores: spread((place) => 2600 + 1500 * wave(place), 0.7, 1.4),
    memoryMib: spread((place) => (4 + Math.sin(place / 200)) * 1024),
    diskUsedMib: column(null, (place) => Math.round((120 + place / 60) * 1024)),
    gpuPercent: spread((place) => 50 + 30 * wave(place)),
    gpuMemoryMib: spread((place) => (30 + 8 * wave(place)) * 1024),
  };
}

export function hostRow(change: Partial<AgentHostView> = {}, now = NOON): AgentHostView {
  const image = (name: string, gibibytes: number) => ({
    imageId: `sha256:${name.length}5d0f2a7c91b44c1e8a55`,
    references: name === '' ? [] : [name],
    sizeBytes: gibibytes * GIB,
  });
  return {
    agentId: 'host-1',
    hostname: 'host-1.rack-17.example.internal',
    agentVersion: '0.2.0',
    bootId: 'boot-5d0f2a7c',
    bootedAt: secondsBefore(3 * 86_400, now),
    observedAt: secondsBefore(4, now),
    receivedAt: secondsBefore(4, now),
    engine: { status: 'up', version: '28.0.1' },
    millicores: 6000,
    memoryBytes: 12 * GIB,
    swapBytes: 2 * GIB,
    disk: { usedBytes: 144 * GIB, totalBytes: 400 * GIB },
    network: { receivedBytesPerSecond: 1_400_000, sentBytesPerSecond: 220_000 },
    images: [
      image('registry.example.internal/research/desktops/ubuntu-with-everything:2026.11', 9.4),
      image('docker.io/pytorch/pytorch:2.5.1', 6.1),
      ...Array.from({ length: 7 }, (_, index) => image(`docker.io/library/tool-${index}:1`, 1 - index / 10)),
      image('', 0.2),
    ],
    orphans: [],
    unmanagedContainers: 2,
    truncated: false,
    ...change,
  };
}
