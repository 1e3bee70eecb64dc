import { isDeepStrictEqual } from 'node:util';
import type { Outcome } from '../../domain/decision.ts';
import type { FleetCommand } from '../../domain/fleet/commands.ts';
import type { ZoneCommand } from '../../domain/zone/commands.ts';
import { isControllerUnavailable, type Answer } from '../../gateway/controller/machine.ts';
import type { Clock } from '../../infra/clock.ts';
import type { LogName } from '../../infra/log/port.ts';
import type { GatewayProcess } from './gatewayProcess.ts';
import { ZONE_LOG, type Witness } from './witness.ts';

export interface ClientOptions {
  readonly clock: Clock;
  /** A gateway that answers; null while there is none. */
  readonly gateway: () => GatewayProcess | null;
  readonly witness: () => Witness;
  readonly onWrongAnswer: (problem: string) => void;
}

export interface Accepted {
  readonly command: ZoneCommand | FleetCommand;
  readonly log: LogName;
  readonly outcome: Outcome;
  readonly version: number;
}

interface Question {
  readonly gateway: GatewayProcess;
  readonly key: string;
  readonly command: ZoneCommand | FleetCommand;
  readonly log: LogName;
}

const ASK_AGAIN_MS = 700;
const ACTOR = { kind: 'automation', id: 'load' } as const;

/** Somebody who wants something: asks again with the same key until there is an answer, and remembers what was answered. */
export class Client {
  readonly #options: ClientOptions;
  readonly accepted = new Map<string, Accepted>();
  unanswered = 0;
  #requests = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** A number that no request has had. */
  nextNumber(): number {
    this.#requests += 1;
    return this.#requests;
  }

  send(key: string, command: ZoneCommand): Promise<void> {
    return this.insist(async (gateway) => (await this.ask(gateway, key, command)) !== null);
  }

  /** Tries with one gateway after another, until it is done. */
  async insist(attempt: (gateway: GatewayProcess) => Promise<boolean>): Promise<void> {
    this.unanswered += 1;
    await this.#insist(attempt);
    this.unanswered -= 1;
  }

  async #insist(attempt: (gateway: GatewayProcess) => Promise<boolean>): Promise<void> {
    const { clock, gateway } = this.#options;
    for (;;) {
      const there = gateway();
      if (there !== null && (await attempt(there))) return;
      await clock.sleep(ASK_AGAIN_MS);
    }
  }

  /** `request` is what was sent, where the command is made of more. Null when there was no answer: the gateway crashed, or says that it cannot tell, or is behind the log. */
  async ask(gateway: GatewayProcess, key: string, command: ZoneCommand, request?: unknown): Promise<Answer | null> {
    const asked = gateway.submit({ key, recorded: true, actor: ACTOR, command, ...(request ? { request } : {}) });
    return await this.#answered({ gateway, key, command, log: ZONE_LOG }, asked);
  }

  /** The same of the fleet's log. */
  async askFleet(
    gateway: GatewayProcess,
    key: string,
    command: FleetCommand,
    request?: unknown,
  ): Promise<Answer | null> {
    const asked = gateway.submitToFleet({
      key,
      recorded: true,
      actor: ACTOR,
      command,
      ...(request ? { request } : {}),
    });
    return await this.#answered({ gateway, key, command, log: 'fleet' }, asked);
  }

  async #answered(question: Question, asked: Promise<Answer | null>): Promise<Answer | null> {
    try {
      const answer = await asked;
      if (answer === null) return null;
      const witness = this.#options.witness();
      witness.look();
      if (answer.kind === 'accepted') this.#note(question, answer, witness);
      else if (!this.#noteRefusal(question, answer.rejection.code, witness)) return null;
      return answer;
    } catch (error) {
      if (isControllerUnavailable(error)) return null;
      throw error;
    }
  }

  /** What is answered stands in the log by then, and every repetition is answered the same. */
  #note({ key, command, log }: Question, answer: Answer & { kind: 'accepted' }, witness: Witness): void {
    const { outcome, version } = answer;
    const { onWrongAnswer } = this.#options;
    if (version > witness.historyOf(log).length)
      onWrongAnswer(`${key} was answered from version ${version}, which the log has not`);
    const before = this.accepted.get(key);
    if (before === undefined) this.accepted.set(key, { command, log, outcome, version });
    else if (!isDeepStrictEqual(before.outcome, outcome)) {
      onWrongAnswer(`${key} was answered ${JSON.stringify(before.outcome)}, then ${JSON.stringify(outcome)}`);
    }
  }

  /** A gateway may be behind another that decides as well; people see that in what it shows, and ask again. */
  #noteRefusal({ gateway, key, log }: Question, code: string, witness: Witness): boolean {
    const shown = log === ZONE_LOG ? gateway.shown : gateway.fleetShown;
    if (shown !== null && shown.version < witness.historyOf(log).length) return false;
    if (code === 'SESSION_EXISTS' || code === 'KEY_REUSED') {
      this.#options.onWrongAnswer(`${key} was refused with ${code}`);
    }
    return true;
  }
}
