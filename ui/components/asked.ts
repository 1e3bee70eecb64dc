import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { isRefusal, type GatewayUnreachable, type Problem } from '../data/problem.ts';

/**
 * What a view asks the gateway for: when it is shown, when somebody comes back to its window, and when it is told to. What
 * was known stays while a later answer is refused.
 */
export class Asked<Value> implements ReactiveController {
  /** Null until it is known. */
  value: Value | null = null;
  refusal: Problem | GatewayUnreachable | null = null;
  readonly #host: ReactiveControllerHost;
  readonly #ask: () => Promise<Value>;
  #turn = 0;

  constructor(host: ReactiveControllerHost, ask: () => Promise<Value>) {
    this.#host = host;
    this.#ask = ask;
    host.addController(this);
  }

  hostConnected(): void {
    globalThis.addEventListener('focus', this.#onFocus);
    void this.again();
  }

  hostDisconnected(): void {
    globalThis.removeEventListener('focus', this.#onFocus);
  }

  /** Asks anew. Of answers that overtake each other the one that was asked for last counts. */
  readonly again = async (): Promise<void> => {
    this.#turn += 1;
    const turn = this.#turn;
    const answer = await this.#answer();
    if (turn !== this.#turn) return;
    if ('value' in answer) this.value = answer.value;
    this.refusal = 'refusal' in answer ? answer.refusal : null;
    this.#host.requestUpdate();
  };

  readonly #onFocus = (): void => {
    void this.again();
  };

  async #answer(): Promise<{ readonly value: Value } | { readonly refusal: Problem | GatewayUnreachable }> {
    try {
      return { value: await this.#ask() };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return { refusal: error };
    }
  }
}
