import { randomUUID } from 'node:crypto';
import type { CheckIn, ObservedSession } from '../../domain/checkIn.ts';
import type { DesiredDocument } from '../../domain/desired.ts';
import type { PruneRecords } from '../../domain/pruning/record.ts';
import { publishCheckIn } from '../../infra/bus/checkIns.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import { readDesired, watchDesired } from '../../infra/bus/desired.ts';

export const GIB = 1024 ** 3;

export interface FakeAgentOptions {
  readonly agentId: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly swapGib?: number;
  readonly gpus?: number;
  /** What it says of its sessions besides that they run. */
  readonly tells?: () => Partial<ObservedSession>;
  /** What it tells of its prunes. */
  readonly prunes?: () => PruneRecords | undefined;
}

/** An agent on the real bus without host or engine: what it is told to run runs at once. */
export interface FakeAgent {
  readonly agentId: string;
  /** Reads its document and says everything it knows now; nothing while the bus is away. */
  readonly refresh: () => Promise<void>;
  /** The newest document it has carried out. */
  readonly document: () => DesiredDocument | null;
  readonly stop: () => void;
}

export function startFakeAgent(bus: Bus, options: FakeAgentOptions): FakeAgent {
  const { agentId } = options;
  const bootId = randomUUID();
  let seq = 0;
  let document: DesiredDocument | null = null;

  function checkIn(): void {
    seq += 1;
    publishCheckIn(bus, 'default', checkInOf(options, bootId, seq, document));
  }

  function apply(newest: DesiredDocument | null): void {
    if (newest === null || (document !== null && newest.version <= document.version)) return;
    document = newest;
    checkIn();
  }

  const unwatch = watchDesired(bus, agentId, {
    onDocument: apply,
    onProblem: (error) => {
      throw error;
    },
  });
  checkIn();
  async function refresh(): Promise<void> {
    if (!bus.isConnected()) return;
    apply(await readDesired(bus, agentId));
    checkIn();
  }

  void refresh();
  return { agentId, refresh, document: () => document, stop: unwatch };
}

function checkInOf(
  { agentId, cores, memoryGib, swapGib = 0, gpus = 0, tells = () => ({}), prunes }: FakeAgentOptions,
  bootId: string,
  seq: number,
  document: DesiredDocument | null,
): CheckIn {
  const pruned = prunes?.();
  return {
    schemaVersion: 1,
    agentId,
    bootId,
    seq,
    logId: document?.logId ?? null,
    appliedVersion: document?.version ?? 0,
    observedAt: new Date().toISOString(),
    agentVersion: '0.0.0-test',
    hostname: `host-of-${agentId}`,
    simulated: false,
    hardware: {
      millicores: cores * 1000,
      memoryBytes: memoryGib * GIB,
      swapBytes: swapGib * GIB,
      gpus: Array.from({ length: gpus }, (_, index) => gpu(agentId, index)),
    },
    usage: {
      cpuMillicores: 100,
      memoryBytes: GIB,
      disk: null,
      network: { receivedBytesPerSecond: 2048, sentBytesPerSecond: 1024 },
      gpus: [],
      sessions: [],
    },
    images: [{ imageId: 'sha256:1', references: ['busybox'], sizeBytes: GIB }],
    engine: { status: 'up', version: 'test' },
    sessions: (document?.sessions ?? []).map(({ sessionId }) => running(sessionId, tells())),
    orphans: [],
    unmanagedContainers: 0,
    ...(pruned === undefined ? {} : { prunes: pruned }),
  };
}

function gpu(agentId: string, index: number): CheckIn['hardware']['gpus'][number] {
  return {
    uuid: `GPU-${agentId}-${index}`,
    index,
    model: 'NVIDIA Test',
    memoryBytes: 16 * GIB,
    driver: '550.0',
    pciAddress: `0000:0${index}:00.0`,
    migMode: null,
    health: 'ok',
    healthReason: null,
    usable: true,
    unusableReason: null,
  };
}

function running(sessionId: string, told: Partial<ObservedSession>): ObservedSession {
  return {
    sessionId,
    status: 'running',
    containerId: `container-${sessionId}`,
    exitCode: null,
    oomKilled: false,
    endpoints: [],
    failure: null,
    ...told,
  };
}
