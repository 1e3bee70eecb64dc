import type { CheckIn, HostImage, Usage } from '../domain/checkIn.ts';
import type { PruneRecords } from '../domain/pruning/record.ts';
import { isoTime } from '../infra/clock.ts';
import { boundedCheckIn } from './boundedCheckIn.ts';
import type { EngineLook } from './observe/engine.ts';
import { withGpuMemory } from './observe/gpuMemory.ts';
import type { AgentPorts, AgentSettings } from './ports.ts';
import type { Report } from './report.ts';

/** What the agent knows at one moment, apart from the host's own figures. */
export interface Standing extends Report {
  readonly logId: string | null;
  readonly appliedVersion: number;
  readonly engine: EngineLook;
  readonly sessionUse: Usage['sessions'];
  readonly unmanagedContainers: number;
  /** Null while they are not known. */
  readonly images: readonly HostImage[] | null;
  /** Null: nothing is to be told. */
  readonly prunes: PruneRecords | null;
}

/** Makes check-ins and sends them. A check-in is never sent late: when the bus is back, the state of then is sent. */
export class Speaker {
  readonly #ports: AgentPorts;
  readonly #settings: AgentSettings;
  #seq: number;
  #said = '';
  #disk: Usage['disk'] = null;

  constructor(ports: AgentPorts, settings: AgentSettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#seq = settings.firstSeq;
  }

  /** As it was measured last; null: not known. */
  get disk(): Usage['disk'] {
    return this.#disk;
  }

  /** Whether this standing says something that the last check-in did not; measurements and progress do not count. */
  isNews(standing: Standing): boolean {
    return gist(standing) !== this.#said;
  }

  /** False when the bus is away. */
  async say(standing: Standing): Promise<boolean> {
    const { clock, host, bus } = this.#ports;
    const { agentId, bootId, agentVersion, hostname, simulated } = this.#settings;
    const { hardware, usage, gpuMemory } = await host.look(standing.engine.facts);
    const said = gist(standing);
    this.#disk = usage.disk;
    const checkIn = boundedCheckIn({
      schemaVersion: 1,
      agentId,
      bootId,
      seq: this.#seq,
      logId: standing.logId,
      appliedVersion: standing.appliedVersion,
      observedAt: isoTime(clock.now()),
      agentVersion,
      hostname,
      simulated,
      hardware,
      usage: { ...usage, sessions: withGpuMemory(standing.sessionUse, standing.sessions, gpuMemory) },
      engine: engineStatus(standing.engine),
      sessions: standing.sessions,
      orphans: standing.orphans,
      unmanagedContainers: standing.unmanagedContainers,
      ...(standing.images === null ? {} : { images: [...standing.images] }),
      ...(standing.prunes === null ? {} : { prunes: standing.prunes }),
    });
    this.#seq += 1;
    const sent = await bus.publish(checkIn);
    if (sent) {
      this.#said = said;
      this.#ports.onCheckIn?.(checkIn);
    }
    return sent;
  }
}

function engineStatus(engine: EngineLook): CheckIn['engine'] {
  switch (engine.status) {
    case 'up':
      return { status: 'up', version: engine.facts.version };
    case 'down':
      return { status: 'down', detail: engine.detail, mend: engine.mend };
  }
}

function gist({ logId, appliedVersion, engine, sessions, orphans, prunes }: Standing): string {
  const known = sessions.map((session) => ({ ...session, pull: null }));
  return JSON.stringify([logId, appliedVersion, engineStatus(engine), known, orphans, prunes?.records.at(-1)?.number]);
}
