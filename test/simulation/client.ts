import { isDeepStrictEqual } from 'node:util';
import type { Outcome } from '../../domain/decision.ts';
import type { ZoneCommand } from '../../domain/zone/commands.ts';
import { isControllerUnavailable, type Answer } from '../../gateway/controller/machine.ts';
import type { Clock } from '../../infra/clock.ts';
import type { GatewayProcess } from './gatewayProcess.ts';
import type { Witness } from './witness.ts';

export interface ClientOptions {
  readonly clock: Clock;
  /** A gateway that answers; null while there is none. */
  readonly gateway: () => GatewayProcess | null;
  readonly witness: () => Witness;
  readonly onWrongAnswer: (problem: string) => void;
}

export interface Accepted {
  readonly command: ZoneCommand;
  readonly outcome: Outcome;
  readonly version: number;
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

  send(key: string, command: ZoneCommand): void {
    this.unanswered += 1;
    void this.#insist(key, command).finally(() => {
      this.unanswered -= 1;
    });
  }

  async #insist(key: string, command: ZoneCommand): Promise<void> {
    const { clock, gateway } = this.#options;
    for (;;) {
      const there = gateway();
      if (there !== null && (await this.#ask(there, key, command))) return;
      await clock.sleep(ASK_AGAIN_MS);
    }
  }

  /** False when there was no answer: the gateway crashed, or says that it cannot tell, or is behind the log. */
  async #ask(gateway: GatewayProcess, key: string, command: ZoneCommand): Promise<boolean> {
    try {
      const answer = await gateway.submit({ key, recorded: true, actor: ACTOR, command });
      if (answer === null) return false;
      const witness = this.#options.witness();
      witness.look();
      if (answer.kind === 'accepted') this.#note(key, command, answer, witness);
      else return this.#noteRefusal(gateway, key, answer.rejection.code, witness);
      return true;
    } catch (error) {
      if (isControllerUnavailable(error)) return false;
      throw error;
    }
  }

  /** What is answered stands in the log by then, and every repetition is answered the same. */
  #note(key: string, command: ZoneCommand, answer: Answer & { kind: 'accepted' }, witness: Witness): void {
    const { outcome, version } = answer;
    const { onWrongAnswer } = this.#options;
    if (version > witness.version) onWrongAnswer(`${key} was answered from version ${version}, which the log has not`);
    const before = this.accepted.get(key);
    if (before === undefined) this.accepted.set(key, { command, outcome, version });
    else if (!isDeepStrictEqual(before.outcome, outcome)) {
      onWrongAnswer(`${key} was answered ${JSON.stringify(before.outcome)}, then ${JSON.stringify(outcome)}`);
    }
  }

  /** A gateway may be behind another that decides as well; people see that in what it shows, and ask again. */
  #noteRefusal({ shown }: GatewayProcess, key: string, code: string, witness: Witness): boolean {
    if (shown !== null && shown.version < witness.version) return false;
    if (code === 'SESSION_EXISTS' || code === 'KEY_REUSED') {
      this.#options.onWrongAnswer(`${key} was refused with ${code}`);
    }
    return true;
  }
}
