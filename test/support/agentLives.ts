import type { Amounts } from '../../domain/agents/capacity.ts';
import type { ZoneFact } from '../../domain/events.ts';
import { isoTime } from '../../infra/clock.ts';
import { nextCommit } from '../../infra/log/codec.ts';
import type { EventLog, StoredCommit } from '../../infra/log/port.ts';
import { UPCASTERS, currentSchemaVersion } from '../../infra/log/upcasters.ts';
import { agentNow, type AgentNow } from '../../projections/capacityHistory.ts';
import { applyZoneCommit, emptyZoneProjection } from '../../projections/zoneProjection.ts';
import { seededRandom, type Random } from '../simulation/random.ts';
import { aHardware, anImage, GIB } from './builders.ts';
import { someEvent } from './commits.ts';

/** A moment of an agent as the zone's own state had it: `5000,1,0 of 12000,6,0`, in millicores, GiB and GPUs. */
export interface Moment {
  readonly at: number;
  readonly text: string;
}

/** A zone's log in which agents live for a while, at random but the same for the same seed. */
export interface AgentLives {
  /** Appends so many commits, from `from` to `to` (ms). */
  readonly live: (commits: number, from: number, to: number) => Promise<void>;
  /** What was shown of an agent after each commit that changed it. */
  readonly moments: (agentId: string) => readonly Moment[];
  /** Types and times of what an operator changed of it, oldest first. */
  readonly changes: (agentId: string) => readonly string[];
  readonly now: (agentId: string) => AgentNow;
  readonly head: () => StoredCommit;
}

export const LIFE_LOG = 'zone-default';
const SETTINGS = new Set(['AgentJoined', 'AgentEnabled', 'AgentDisabled', 'CoresOverrideSet', 'MemoryOverrideSet']);

export function momentText({ capacity, allocated }: { capacity: Amounts | null; allocated: Amounts }): string {
  const of = ({ millicores, memoryBytes, gpus }: Amounts): string => [millicores, memoryBytes / GIB, gpus].join();
  return `${of(allocated)} of ${capacity === null ? '?' : of(capacity)}`;
}

export function agentLives(eventLog: EventLog, agents: readonly string[], seed: number, logId = 'lives'): AgentLives {
  const random = seededRandom(seed);
  const projection = emptyZoneProjection('default', LIFE_LOG);
  const { state } = projection;
  const moments = new Map<string, Moment[]>();
  const changes = new Map<string, string[]>();
  let head: StoredCommit | null = null;
  let sessions = 0;

  function note(agentId: string, at: number): void {
    const agent = state.agents.get(agentId);
    if (agent === undefined) return;
    const { hardware, coresOverride, memoryOverride, allocated } = agentNow(agent);
    const capacity = hardware && {
      millicores: coresOverride?.value ?? hardware.millicores,
      memoryBytes: memoryOverride?.value ?? hardware.memoryBytes,
      gpus: hardware.gpus.length,
    };
    const text = momentText({ capacity, allocated });
    const known = moments.get(agentId) ?? [];
    moments.set(agentId, known);
    if (known.at(-1)?.text !== text) known.push({ at, text });
  }

  async function append(at: number, facts: readonly ZoneFact[]): Promise<void> {
    const version: number = head?.commit.version ?? 0;
    const key = `${logId}-${seed}-${version + 1}`;
    const occurredAt = isoTime(at);
    const events = facts.map((fact, index) => {
      const schemaVersion = currentSchemaVersion(fact.type, UPCASTERS);
      return { ...someEvent(key, index), occurredAt, schemaVersion, ...fact };
    });
    const commands = [{ key, requestHash: 'hash', outcome: { accepted: true } as const }];
    const commit = nextCommit({ previous: head, newLogId: logId, at: occurredAt, events, commands });
    head = { commit, ...(await eventLog.append(LIFE_LOG, version, commit)) };
    applyZoneCommit(projection, commit);
    for (const { type, data } of facts) {
      if (!('agentId' in data) || data.agentId === null) continue;
      note(data.agentId, at);
      if (!SETTINGS.has(type)) continue;
      changes.set(data.agentId, [...(changes.get(data.agentId) ?? []), `${occurredAt} ${type}`]);
    }
  }

  function next(agentId: string): readonly ZoneFact[] {
    const agent = state.agents.get(agentId);
    if (agent === undefined) {
      return [
        { type: 'AgentJoined', data: { agentId, hostname: agentId, simulated: false } },
        { type: 'AgentHardwareChanged', data: { agentId, hardware: aHardware({ cores: 6 }), previous: null } },
      ];
    }
    if (random.chance(0.04)) return settings(random, agentId, agentNow(agent));
    if (random.chance(0.01)) return [{ type: 'AgentDeclaredLost', data: { agentId, sessions: agent.sessions.size } }];
    const ending = random.any([...agent.sessions]);
    if (ending !== null && random.chance(0.5)) {
      // One that ends as another like it begins moves no line, and what is held is another.
      return random.chance(0.2) ? [...ended(agentId, ending), ...placed(agentId)] : ended(agentId, ending);
    }
    return placed(agentId);
  }

  function placed(agentId: string): readonly ZoneFact[] {
    sessions += 1;
    const sessionId = `s-${sessions}`;
    const claim = { millicores: 1000 * random.int(1, 2), memoryBytes: GIB * random.int(1, 2), gpuUuids: [] };
    const request = { priority: 0, whenFull: 'queue', maxWaitSeconds: null, agentId: null } as const;
    return [
      { type: 'SessionRequested', data: { sessionId, image: anImage(), ...request } },
      { type: 'SessionPlaced', data: { sessionId, agentId, claim } },
    ];
  }

  return {
    async live(commits, from, to) {
      for (let index = 0; index < commits; index += 1) {
        const at = Math.floor(from + ((to - from) * index) / commits);
        await append(at, next(agents[random.int(0, agents.length - 1)] ?? ''));
      }
    },
    moments: (agentId) => moments.get(agentId) ?? [],
    changes: (agentId) => changes.get(agentId) ?? [],
    now(agentId) {
      const agent = state.agents.get(agentId);
      if (agent === undefined) throw new Error(`${agentId} has not joined`);
      return agentNow(agent);
    },
    head() {
      if (head === null) throw new Error('nothing was lived');
      return head;
    },
  };
}

function ended(agentId: string, sessionId: string): readonly ZoneFact[] {
  return [{ type: 'SessionEnded', data: { sessionId, agentId, cause: 'USER', exitCode: 0 } }];
}

function settings(random: Random, agentId: string, { hardware, coresOverride }: AgentNow): readonly ZoneFact[] {
  const about = { agentId };
  const cores = random.int(0, 3) * 4000;
  const millicores = cores === 0 ? null : cores;
  const previous = coresOverride?.value ?? null;
  return random.pick<readonly ZoneFact[]>([
    [{ type: 'AgentDisabled', data: about }],
    [{ type: 'AgentEnabled', data: about }],
    [{ type: 'CoresOverrideSet', data: { agentId, millicores, previous, physicalMillicores: 6000 } }],
    [
      {
        type: 'AgentHardwareChanged',
        data: { agentId, hardware: aHardware({ cores: random.int(4, 8) }), previous: hardware },
      },
    ],
  ]);
}
