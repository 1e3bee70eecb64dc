import type { CheckIn } from '../../domain/checkIn.ts';
import type { Commit } from '../../domain/commit.ts';
import type { Enrolment } from '../../domain/fleet/state.ts';
import type { Core } from '../../gateway/core/core.ts';
import type { Clock } from '../../infra/clock.ts';
import type { EventLog } from '../../infra/log/port.ts';
import { checkInKey } from './bus.ts';
import { ZONE_LOG } from './witness.ts';

/** A group was in flight and one was filling when it was told: the next but one is decided with what it asked for. */
const MOST_COMMITS = 4;
/** Whoever waits for the log longer than this may have been refused what it asked for meanwhile. */
const SWIFT_MS = 1000;

/**
 * Holds one gateway to what it knows of revocations: the word of an agent that it knows to be revoked decides nothing, and a
 * few commits after it has asked for that agent to be disabled nothing is placed there. What others know already is no
 * measure, since a gateway may be behind.
 */
export class Knowing {
  readonly #clock: Clock;
  readonly #onWrong: (problem: string) => void;
  readonly #heard = new Map<string, 'listed' | 'revoked'>();
  /** By revoked agent, how many commits were launched since it was to be disabled. */
  readonly #told = new Map<string, number>();
  #launched: Commit | null = null;
  #launchedAt = 0;
  #landed = true;

  constructor(clock: Clock, onWrong: (problem: string) => void) {
    this.#clock = clock;
    this.#onWrong = onWrong;
  }

  hear(core: Core, checkIn: CheckIn): void {
    const key = checkInKey(checkIn);
    if (this.#heard.has(key)) return;
    const agent = core.fleetProjection.state.agents.get(checkIn.agentId);
    this.#heard.set(key, isRevoked(agent) ? 'revoked' : 'listed');
  }

  /** Each second it asks for what it knows and the zone lacks. */
  ticked(core: Core): void {
    const zone = core.zones.get('default');
    if (zone?.replica.role !== 'leading') {
      this.#told.clear();
      return;
    }
    const { agents } = core.fleetProjection.state;
    for (const agent of agents.values()) {
      if (isRevoked(agent) && !this.#told.has(agent.agentId)) this.#told.set(agent.agentId, 0);
    }
    for (const agentId of this.#told.keys()) if (!isRevoked(agents.get(agentId))) this.#told.delete(agentId);
  }

  /** The gateway's own way to the logs. */
  watched(log: EventLog): EventLog {
    return {
      ...log,
      append: async (name, expected, commit) => {
        if (name !== ZONE_LOG) return await log.append(name, expected, commit);
        if (this.#launched !== commit) this.#launch(commit);
        try {
          const answer = await log.append(name, expected, commit);
          if (this.#clock.now() - this.#launchedAt > SWIFT_MS) this.#told.clear();
          this.#landed = true;
          return answer;
        } catch (error) {
          this.#told.clear();
          throw error;
        }
      },
    };
  }

  #launch(commit: Commit): void {
    if (!this.#landed) this.#told.clear();
    this.#launched = commit;
    this.#launchedAt = this.#clock.now();
    this.#landed = false;
    for (const [agentId, commits] of this.#told) this.#told.set(agentId, commits + 1);
    for (const { type, data, causationId } of commit.events) {
      if (this.#heard.get(causationId) === 'revoked')
        this.#onWrong(`${type} at ${commit.version} by ${causationId}, which was revoked`);
      // Somebody enabled it who did not know, and now it is to be disabled once more.
      if (type === 'AgentEnabled') this.#told.delete(data.agentId);
      if (type === 'SessionPlaced' && (this.#told.get(data.agentId) ?? 0) > MOST_COMMITS)
        this.#onWrong(`${data.sessionId} was placed on ${data.agentId} by a gateway that knew it to be revoked`);
    }
  }
}

function isRevoked(agent: Enrolment | undefined): boolean {
  return agent !== undefined && agent.revokedAt !== null;
}
