import type { CheckIn } from '../../domain/checkIn.ts';
import type { AdvanceTime, ZoneCommand } from '../../domain/zone/commands.ts';
import type { ZoneState } from '../../domain/zone/state.ts';
import type { Clock } from '../../infra/clock.ts';
import type { Submission } from './machine.ts';
import { dueNow, windowSecondsOf, type Patience } from './silence.ts';

/** How often `tick()` is to be called, and how far from that the clock may be before it is taken to have jumped. */
const TICK_MS = 1_000;
const JUMP_MS = 5_000;

export interface DeskOptions {
  readonly clock: Clock;
  readonly patience: Patience;
  /** Acknowledged state. It is read and neither kept nor changed. */
  readonly state: () => ZoneState;
  readonly submit: (submission: Submission<ZoneCommand>) => Promise<unknown>;
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
 * memory is bounded by the fleet. Silence counts only while it listens and only since it began to: what nobody could hear
 * was not silence.
 */
export class CheckInDesk {
  readonly #options: DeskOptions;
  readonly #heard = new Map<string, Heard>();
  readonly #deciding = new Set<string>();
  readonly #decidingClones = new Set<string>();
  readonly #newest = new Map<string, CheckIn>();
  /** Null while it does not listen. */
  #listeningSince: number | null = null;
  #lastTick = 0;
  #ticks = 0;
  #troubled = false;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** Agents that fell silent within so many seconds of each other fell silent at once. */
  get windowSeconds(): number {
    return windowSecondsOf(this.#options.patience.checkInSeconds);
  }

  /**
   * It listens from now on, and everybody gets a full window. To be called when the log was taken over and is caught up,
   * and when bus and log are back. A desk does not listen before.
   */
  freshWindow(): void {
    const now = this.#options.clock.now();
    this.#listeningSince = now;
    this.#lastTick = now;
    // After a jump backwards what was heard would otherwise lie in the future, and its silence would not count for long.
    for (const [agentId, heard] of this.#heard) {
      if (heard.at > now) this.#heard.set(agentId, { ...heard, at: now });
    }
  }

  /** To be called when the log was lost to another gateway, or log or bus is away: no time passes until `freshWindow()`. */
  pause(): void {
    this.#listeningSince = null;
  }

  /** Takes one check-in; false when it was dropped: out of order, or from a process that was replaced. */
  receive(checkIn: CheckIn): boolean {
    const { agentId, bootId, seq } = checkIn;
    if (this.#isReplaced(checkIn)) return false;
    const heard = this.#heard.get(agentId);
    if (heard !== undefined && heard.bootId === bootId && seq <= heard.seq) return false;
    this.#heard.set(agentId, { bootId, seq, at: this.#options.clock.now() });
    this.#newest.set(agentId, checkIn);
    if (!this.#deciding.has(agentId)) void this.#decideNewest(agentId);
    return true;
  }

  /** An agent that has left its zone; should it join again, it is heard as a new one. */
  forget(agentId: string): void {
    this.#heard.delete(agentId);
    this.#newest.delete(agentId);
  }

  /** One tick of time, once a second: agents that fell silent, and whatever else has come due. */
  async tick(): Promise<void> {
    const { clock, patience, state } = this.#options;
    if (this.#listeningSince === null) return;
    const now = clock.now();
    this.#mindJumps(now);
    this.#lastTick = now;
    const listeningSince = this.#listeningSince;
    const hearing = { now, listeningSince, heardAt: (agentId: string) => this.#heard.get(agentId)?.at ?? null };
    const { ordinary, losses } = dueNow(state(), hearing, patience);
    this.#ticks += 1;
    const key = `time:${now}:${this.#ticks}`;
    await Promise.all([
      ordinary === null ? null : this.#advance(key, ordinary),
      losses === null ? null : this.#advance(`${key}:lost`, losses, lossReason(patience)),
    ]);
  }

  /**
   * A boot once superseded never comes back: whoever speaks for it is a clone. It is told to the decider until the log
   * has it, and it is not heard, so that it neither hides the silence of the real agent nor takes its turn.
   */
  #isReplaced(checkIn: CheckIn): boolean {
    const agent = this.#options.state().agents.get(checkIn.agentId);
    if (agent?.supersededBoots.has(checkIn.bootId) !== true) return false;
    if (!agent.conditions.has('IDENTITY_CONFLICT')) void this.#decideClone(checkIn);
    return true;
  }

  async #decideClone(checkIn: CheckIn): Promise<void> {
    const { agentId } = checkIn;
    if (this.#decidingClones.has(agentId)) return;
    this.#decidingClones.add(agentId);
    await this.#decide(checkIn);
    this.#decidingClones.delete(agentId);
  }

  /** A clock that was set, or a machine that slept, makes nobody silent: who was not heard then could not be. */
  #mindJumps(now: number): void {
    const off = now - this.#lastTick - TICK_MS;
    if (Math.abs(off) <= JUMP_MS) return;
    this.#options.onTrouble('the clock jumped, or this gateway stood still; every agent gets a fresh window', { off });
    this.freshWindow();
  }

  async #decideNewest(agentId: string): Promise<void> {
    this.#deciding.add(agentId);
    for (let next = this.#take(agentId); next !== null; next = this.#take(agentId)) {
      await this.#decide(next);
    }
    this.#deciding.delete(agentId);
  }

  #decide(checkIn: CheckIn): Promise<void> {
    const { agentId, bootId, seq } = checkIn;
    const key = `checkin:${agentId}:${bootId}:${seq}`;
    const command = { type: 'RecordCheckIn', checkIn } as const;
    return this.#submit({ key, recorded: false, actor: { kind: 'agent', id: agentId }, command });
  }

  #take(agentId: string): CheckIn | null {
    const newest = this.#newest.get(agentId) ?? null;
    this.#newest.delete(agentId);
    return newest;
  }

  #advance(key: string, command: AdvanceTime, reason?: string): Promise<void> {
    return this.#submit({ key, recorded: false, actor: SYSTEM, command, ...(reason === undefined ? {} : { reason }) });
  }

  /**
   * What comes again by itself may fail: the next check-in or tick says the same. It is told once, since a whole fleet goes
   * on to check in while the log is away.
   */
  async #submit(submission: Submission<ZoneCommand>): Promise<void> {
    try {
      await this.#options.submit(submission);
      this.#troubled = false;
    } catch (error) {
      const sentence = 'a check-in or a tick of time was not taken; a later one will be';
      if (!this.#troubled) this.#options.onTrouble(sentence, error);
      this.#troubled = true;
    }
  }
}

const SYSTEM = { kind: 'system', id: 'muster' } as const;

function lossReason({ lostAfterSeconds }: Patience): string {
  return `silent for ${Math.round((lostAfterSeconds ?? 0) / 60)} minutes, which is how long MUSTER_LOST_AFTER_MINUTES waits`;
}
