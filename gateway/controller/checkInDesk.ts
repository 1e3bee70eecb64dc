import type { CheckIn } from '../../domain/checkIn.ts';
import type { ZoneFact } from '../../domain/events.ts';
import type { AdvanceTime, ZoneCommand } from '../../domain/zone/commands.ts';
import { MOST_PER_TICK } from '../../domain/zone/decideTime.ts';
import type { ZoneState } from '../../domain/zone/state.ts';
import { isoTime, type Clock } from '../../infra/clock.ts';
import type { Controller } from './controller.ts';
import type { Submission } from './machine.ts';

/** Late after three intervals without a check-in, missing after six. */
export const LATE_INTERVALS = 3;
export const MISSING_INTERVALS = 6;

export interface DeskOptions {
  readonly clock: Clock;
  readonly checkInSeconds: number;
  readonly controller: Pick<Controller<ZoneState, ZoneCommand, ZoneFact>, 'submit' | 'ask'>;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

interface Heard {
  readonly bootId: string;
  readonly seq: number;
  readonly at: number;
}

/**
 * Where check-ins reach a zone's controller. It keeps, outside the log, when each agent was last heard; drops what is out
 * of order within a boot; and has at most one check-in per agent being decided and one, the newest, waiting, so that its
 * memory is bounded by the fleet. Silence counts only since `freshWindow()`: while the gateway itself was not listening,
 * nobody is silent.
 */
export class CheckInDesk {
  readonly #options: DeskOptions;
  readonly #heard = new Map<string, Heard>();
  readonly #deciding = new Set<string>();
  readonly #newest = new Map<string, CheckIn>();
  #listeningSince: number;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#listeningSince = options.clock.now();
  }

  /** To be called when the connection to the bus is back, or the log was taken over: everybody gets a full window. */
  freshWindow(): void {
    this.#listeningSince = this.#options.clock.now();
  }

  /** Takes one check-in; false when it was out of order and dropped. */
  receive(checkIn: CheckIn): boolean {
    const { agentId, bootId, seq } = checkIn;
    const heard = this.#heard.get(agentId);
    if (heard !== undefined && heard.bootId === bootId && seq <= heard.seq) return false;
    this.#heard.set(agentId, { bootId, seq, at: this.#options.clock.now() });
    this.#newest.set(agentId, checkIn);
    if (!this.#deciding.has(agentId)) void this.#decideNewest(agentId);
    return true;
  }

  /** One tick of time: agents that fell silent, and whatever else has come due. */
  async tick(): Promise<void> {
    const now = this.#options.clock.now();
    try {
      const due = await this.#options.controller.ask((state) => this.#due(state, now));
      if (due !== null) await this.#submit({ key: `time:${now}`, recorded: false, actor: SYSTEM, command: due });
    } catch (error) {
      this.#options.onTrouble('a tick of time was not taken; the next one will be', error);
    }
  }

  #due(state: ZoneState, now: number): AdvanceTime | null {
    const silences = this.#silences(state, now).slice(0, MOST_PER_TICK);
    const waitedEnough = state.line.some(({ waitUntil }) => waitUntil !== null && waitUntil <= isoTime(now));
    return silences.length > 0 || waitedEnough ? { type: 'AdvanceTime', silences } : null;
  }

  #silences(state: ZoneState, now: number): AdvanceTime['silences'] {
    const silences: AdvanceTime['silences'][number][] = [];
    for (const { agentId, connectivity } of state.agents.values()) {
      if (connectivity !== 'online' && connectivity !== 'late') continue;
      const since = Math.max(this.#heard.get(agentId)?.at ?? 0, this.#listeningSince);
      const seconds = Math.floor((now - since) / 1000);
      const intervals = seconds / this.#options.checkInSeconds;
      if (intervals >= MISSING_INTERVALS) silences.push({ agentId, seconds, to: 'missing' });
      else if (intervals >= LATE_INTERVALS && connectivity === 'online')
        silences.push({ agentId, seconds, to: 'late' });
    }
    return silences;
  }

  async #decideNewest(agentId: string): Promise<void> {
    this.#deciding.add(agentId);
    for (let next = this.#take(agentId); next !== null; next = this.#take(agentId)) {
      const { bootId, seq } = next;
      const key = `checkin:${agentId}:${bootId}:${seq}`;
      const command = { type: 'RecordCheckIn', checkIn: next } as const;
      await this.#submit({ key, recorded: false, actor: { kind: 'agent', id: agentId }, command });
    }
    this.#deciding.delete(agentId);
  }

  #take(agentId: string): CheckIn | null {
    const newest = this.#newest.get(agentId) ?? null;
    this.#newest.delete(agentId);
    return newest;
  }

  /** What comes again by itself may fail: the next check-in or tick says the same. */
  async #submit(submission: Submission<ZoneCommand>): Promise<void> {
    try {
      await this.#options.controller.submit(submission);
    } catch (error) {
      this.#options.onTrouble('a check-in or a tick of time was not taken; the next one will be', error);
    }
  }
}

const SYSTEM = { kind: 'system', id: 'muster' } as const;
