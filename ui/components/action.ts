import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { isRefusal, type GatewayUnreachable, type Problem } from '../data/problem.ts';

/** One thing that is sent and answered: busy until the answer, and the refusal kept where it happened. */
export class Action implements ReactiveController {
  busy = false;
  refusal: Problem | GatewayUnreachable | null = null;
  readonly #host: ReactiveControllerHost;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    this.#host.requestUpdate();
  }

  /** Runs the work unless some is under way. Returns whether it was accepted. */
  async run(work: () => Promise<void>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.refusal = null;
    this.#host.requestUpdate();
    try {
      await work();
      return true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.refusal = error;
      return false;
    } finally {
      this.busy = false;
      this.#host.requestUpdate();
    }
  }

  forget(): void {
    this.refusal = null;
    this.#host.requestUpdate();
  }
}
