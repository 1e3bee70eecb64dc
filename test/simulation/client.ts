import { isDeepStrictEqual } from 'node:util';
import type { Outcome } from '../../domain/decision.ts';
import type { ZoneCommand } from '../../domain/zone/commands.ts';
import { isControllerUnavailable } from '../../gateway/controller/machine.ts';
import type { Clock } from '../../infra/clock.ts';
import type { GatewayProcess } from './gatewayProcess.ts';

export interface ClientOptions {
  readonly clock: Clock;
  /** A gateway that answers; null while there is none. */
  readonly gateway: () => GatewayProcess | null;
  readonly onWrongAnswer: (problem: string) => void;
}

const ASK_AGAIN_MS = 700;

/** Somebody who wants something: asks again with the same key until there is an answer, and remembers what was answered. */
export class Client {
  readonly #options: ClientOptions;
  readonly accepted = new Map<string, { readonly command: ZoneCommand; readonly outcome: Outcome }>();
  unanswered = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
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

  /** False when there was no answer: the gateway crashed, or says that it cannot tell. */
  async #ask({ core, life }: GatewayProcess, key: string, command: ZoneCommand): Promise<boolean> {
    const controller = core?.zones.get('default')?.controller;
    if (controller === undefined) return false;
    const actor = { kind: 'automation', id: 'load' } as const;
    try {
      const asked = controller.submit({ key, recorded: true, actor, command });
      const answer = await Promise.race([asked, life.ended.then(() => null)]);
      if (answer === null) return false;
      if (answer.kind === 'accepted') this.#note(key, command, answer.outcome);
      else if (answer.rejection.code === 'SESSION_EXISTS' || answer.rejection.code === 'KEY_REUSED') {
        this.#options.onWrongAnswer(`${key} was refused with ${answer.rejection.code}`);
      }
      return true;
    } catch (error) {
      if (isControllerUnavailable(error)) return false;
      throw error;
    }
  }

  #note(key: string, command: ZoneCommand, outcome: Outcome): void {
    const before = this.accepted.get(key);
    if (before === undefined) this.accepted.set(key, { command, outcome });
    else if (!isDeepStrictEqual(before.outcome, outcome)) {
      this.#options.onWrongAnswer(
        `${key} was answered ${JSON.stringify(before.outcome)}, then ${JSON.stringify(outcome)}`,
      );
    }
  }
}
