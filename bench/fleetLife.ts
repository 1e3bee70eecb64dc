import type { AgentState } from '../domain/agents/state.ts';
import type { ObservedSession } from '../domain/checkIn.ts';
import type { Commit } from '../domain/commit.ts';
import { isZoneEvent } from '../domain/events.ts';
import { approvalAt } from '../domain/fleet/approval.ts';
import type { GpuNeed } from '../domain/gpuNeed.ts';
import type { ImageNeeds } from '../domain/images/image.ts';
import type { HeldSession } from '../domain/sessions/state.ts';
import type { ZoneCommand } from '../domain/zone/commands.ts';
import type { ZoneState } from '../domain/zone/state.ts';
import type { Submission } from '../gateway/controller/machine.ts';
import type { Random } from '../test/simulation/random.ts';
import { GIB, agentIdOf, checkInOf, hardwareOf, observed } from './hosts.ts';

export interface LifeOptions {
  readonly random: Random;
  /** Acknowledged state. It is only read. */
  readonly state: () => ZoneState;
  readonly logId: string;
  readonly agents: number;
  /** So many sessions live, give or take a few percent, once the fleet has filled up. */
  readonly sessions: number;
  /** Distinguishes the keys and sessions of one life from those of another in the same log. */
  readonly name: string;
}

/** Commands to be submitted at once; `answered` is to be called when all of them were. */
export interface Batch {
  readonly submissions: readonly Submission<ZoneCommand>[];
  readonly answered: () => void;
}

interface Act {
  readonly submission: Submission<ZoneCommand>;
  /** How many events it makes on the state as it is. */
  readonly events: number;
}

const OPERATOR = { kind: 'operator', id: 'desk' } as const;
const SYSTEM = { kind: 'system', id: 'muster' } as const;
const START = Date.UTC(2026, 0, 1);
/** Agents that have something to say beyond these are heard before anybody asks for more. */
const MOST_UNHEARD = 8;

/**
 * What people and agents do to a fleet, always the same for the same chance: sessions are asked for, seen starting and
 * running, stopped and seen gone; now and then an operator changes a setting, a request cannot be met, or an agent falls
 * silent and comes back. Agents do as they are told.
 */
export class FleetLife {
  readonly #options: LifeOptions;
  /** Agents whose next check-in says something new, the one that waits longest first. */
  readonly #due = new Set<string>();
  readonly #speaking = new Set<string>();
  readonly #stopping = new Set<string>();
  #count = 0;

  constructor(options: LifeOptions) {
    this.#options = options;
    for (const { agentId } of options.state().agents.values()) this.#due.add(agentId);
  }

  joins(index: number): Submission<ZoneCommand> {
    const agentId = agentIdOf(index);
    const command = {
      type: 'JoinAgent',
      agentId,
      hostname: `${agentId}.fleet.example`,
      simulated: false,
      approval: approvalAt({ time: '2026-01-01T00:00:00.000Z', version: 1 }),
    } as const;
    return { key: `join:${agentId}`, recorded: false, actor: SYSTEM, command };
  }

  /** To be told every commit, after it was folded. */
  saw({ events }: Commit): void {
    for (const event of events) {
      if (!isZoneEvent(event)) continue;
      if (event.type === 'SessionStopRequested') this.#stopping.delete(event.data.sessionId);
      if (SPEAKS_AFTER.has(event.type) && 'agentId' in event.data && event.data.agentId !== null) {
        this.#due.add(event.data.agentId);
      }
    }
  }

  /** Commands that together make so many events. */
  batch(events: number): Batch {
    const submissions: Submission<ZoneCommand>[] = [];
    const speakers: string[] = [];
    for (let left = events; left > 0;) {
      const act = this.#act(left);
      left -= act.events;
      submissions.push(act.submission);
      if (act.submission.command.type === 'RecordCheckIn') speakers.push(act.submission.command.checkIn.agentId);
    }
    return {
      submissions,
      answered: () => {
        for (const agentId of speakers) this.#speaking.delete(agentId);
      },
    };
  }

  #act(left: number): Act {
    const { random, sessions, state } = this.#options;
    const heard = this.#due.size > MOST_UNHEARD || random.chance(0.3) ? this.#checkIn(left) : null;
    if (heard !== null) return heard;
    if (random.chance(0.004)) return this.#silence() ?? this.#setting();
    const filled = state().sessions.size / sessions;
    const more = filled < 0.95 ? 0.97 : filled < 1 ? 0.5 : 0.25;
    if (left >= 2 && random.chance(more)) return this.#request();
    if (random.chance(0.96)) return this.#stop() ?? this.#setting();
    return this.#setting();
  }

  /** Of the agents that have something new to say the first whose word makes no more events than there is room for. */
  #checkIn(room: number): Act | null {
    const { state } = this.#options;
    for (const agentId of this.#due) {
      const agent = state().agents.get(agentId);
      if (agent === undefined || this.#speaking.has(agentId)) continue;
      const news = this.#newsOf(agent);
      if (news === 0) this.#due.delete(agentId);
      if (news === 0 || news > room) continue;
      this.#due.delete(agentId);
      this.#speaking.add(agentId);
      return { submission: this.#word(agent), events: news };
    }
    return null;
  }

  #newsOf(agent: AgentState): number {
    const first = agent.bootId === null ? 2 : 0;
    const comes = agent.connectivity === 'online' ? 0 : 1;
    const unseen = this.#held(agent).filter(({ phase, withdrawn }) => withdrawn !== null || phase !== 'running');
    return first + comes + unseen.length;
  }

  #held({ sessions }: AgentState): readonly HeldSession[] {
    const { sessions: all } = this.#options.state();
    return [...sessions].flatMap((sessionId) => {
      const session = all.get(sessionId);
      return session === undefined || session.phase === 'waiting' ? [] : [session];
    });
  }

  /** Everything that the agent was told to run runs, or is about to; what was withdrawn has exited. */
  #word(agent: AgentState): Submission<ZoneCommand> {
    const { agentId, hardware, desiredVersion } = agent;
    const { logId, state, random } = this.#options;
    const seq = this.#next();
    const sessions = this.#held(agent).map((session): ObservedSession => {
      if (session.withdrawn !== null) return observed(session.sessionId, 'exited');
      const slow = session.phase === 'placed' && random.chance(0.25);
      return observed(session.sessionId, slow ? 'starting' : 'running');
    });
    const checkIn = checkInOf({
      agentId,
      seq,
      logId,
      appliedVersion: desiredVersion,
      observedAt: state().time === '' ? new Date(START).toISOString() : state().time,
      hardware: hardware ?? hardwareOf(agentId),
      sessions,
      load: seq,
    });
    const actor = { kind: 'agent', id: agentId } as const;
    const key = `checkin:${agentId}:boot-1:${seq}`;
    return { key, recorded: false, actor, command: { type: 'RecordCheckIn', checkIn } };
  }

  #request(): Act {
    const { random, name } = this.#options;
    const sessionId = `s-${name}${this.#next().toString(36).padStart(9, '0')}`;
    const cannot = random.chance(0.003);
    const command: ZoneCommand = {
      type: 'RequestSession',
      sessionId,
      image: imageFor(random, cannot ? 'NVIDIA H100*' : null),
      priority: 0,
      whenFull: cannot ? 'fail' : 'queue',
      maxWaitSeconds: null,
      agentId: null,
    };
    return { submission: { ...this.#asked(command), request: { type: command.type, body: sessionId } }, events: 2 };
  }

  #stop(): Act | null {
    for (let tries = 0; tries < 20; tries += 1) {
      const agent = this.#anyAgent();
      const session = agent === null ? null : this.#options.random.any(this.#held(agent));
      if (session?.phase !== 'running' || session.withdrawn !== null || this.#stopping.has(session.sessionId)) continue;
      this.#stopping.add(session.sessionId);
      const command = { type: 'StopSession', sessionId: session.sessionId, cause: 'USER' } as const;
      return { submission: this.#asked(command), events: 1 };
    }
    return null;
  }

  #setting(): Act {
    const agentId = this.#anyAgent()?.agentId ?? agentIdOf(0);
    // Each differs from the one before, so that each is one event.
    const millicores = 56_000 + (this.#next() % 7919);
    const command = { type: 'SetAgentSettings', agentId, millicores, confirm: true, ifVersion: null } as const;
    return { submission: this.#asked(command), events: 1 };
  }

  #silence(): Act | null {
    const agent = this.#anyAgent();
    if (agent?.connectivity !== 'online' || this.#speaking.has(agent.agentId)) return null;
    const silences = [{ agentId: agent.agentId, seconds: 31, to: 'late' }] as const;
    const command = { type: 'AdvanceTime', silences, windowSeconds: 30, overdueStarts: [] } as const;
    return { submission: { key: `time:${this.#next()}`, recorded: false, actor: SYSTEM, command }, events: 1 };
  }

  #asked(command: ZoneCommand): Submission<ZoneCommand> {
    const key = `${this.#options.name}${this.#next().toString(16).padStart(12, '0')}`;
    return { key: key.padEnd(64, 'f'), recorded: true, actor: OPERATOR, correlationId: key.padEnd(36, '-'), command };
  }

  #anyAgent(): AgentState | null {
    const { random, agents, state } = this.#options;
    return state().agents.get(agentIdOf(random.int(0, agents - 1))) ?? null;
  }

  #next(): number {
    this.#count += 1;
    return this.#count;
  }
}

const SPEAKS_AFTER: ReadonlySet<string> = new Set([
  'AgentJoined',
  'AgentWentLate',
  'SessionPlaced',
  'SessionStarting',
  'SessionStopRequested',
]);

/** Desktops and notebooks of a few sizes; every fifth holds a GPU. */
function imageFor(random: Random, gpuModel: string | null): ImageNeeds {
  const cores = random.int(1, 4);
  const gpu: GpuNeed = gpuModel !== null || random.chance(0.2) ? { kind: 'count', count: 1 } : { kind: 'none' };
  return {
    imageId: `desktop-${cores}`,
    revision: 3,
    reference: 'registry.fleet.example/desktops/ubuntu:24.04-2026.1',
    digest: null,
    millicores: cores * 1000,
    memoryBytes: cores * 2 * GIB,
    cpuMode: 'shares',
    gpu,
    gpuModel,
    gpuMemoryBytes: null,
    includeLabels: [],
    excludeLabels: [],
    ports: [{ containerPort: 6901, protocol: 'tcp' }],
    shmBytes: GIB / 2,
    environment: { LANG: 'en_US.UTF-8', TZ: 'Europe/Berlin', VNC_RESOLUTION: '1920x1080' },
    command: null,
  };
}
