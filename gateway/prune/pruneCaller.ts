import type { PruneReport } from '../../domain/pruning/record.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import {
  callForPrune,
  hearPruneAnswers,
  PRUNE_SILENCE_MS,
  type PruneAnswer,
  type PruneCall,
} from '../../infra/bus/pruneCalls.ts';
import type { Clock } from '../../infra/clock.ts';
import { Wake } from '../../infra/wake.ts';
import { PruneRefused } from './errors.ts';

/** An agent answers at once that it has heard; then the engine may take its time. */
const HEARD_WITHIN_MS = 3000;
/** Nobody waits longer for an answer; the agent goes on, and tells whoever asks again under the same key. */
const ANSWER_WITHIN_MS = 600_000;

export type PruneAsked = Omit<Extract<PruneCall, { kind: 'prune' }>, 'kind'> & { readonly agentId: string };

/** Has agents prune their images, or tell what that would remove. */
export class PruneCaller {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #closing = new AbortController();

  constructor(bus: Bus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  /** Whoever waits is told that this gateway stops. */
  close(): void {
    this.#closing.abort();
  }

  /** Throws PruneRefused. */
  async ask({ agentId, ...call }: PruneAsked): Promise<PruneReport> {
    if (!this.#bus.isConnected()) throw new PruneRefused('BUS_AWAY', BUS_AWAY);
    const answers: PruneAnswer[] = [];
    const wake = new Wake();
    let isRefused = false;
    const unhear = hearPruneAnswers(
      this.#bus,
      { agentId, callId: call.callId },
      (answer) => {
        // What is not understood is of a later release; the silence after it tells.
        if (answer !== null) answers.push(answer);
        wake.ring();
      },
      () => {
        isRefused = true;
        wake.ring();
      },
    );
    try {
      callForPrune(this.#bus, agentId, { kind: 'prune', ...call });
      const until = this.#clock.now() + ANSWER_WITHIN_MS;
      for (let patience = HEARD_WITHIN_MS; ;) {
        const why = answers.length > 0 ? 'rung' : await wake.wait(this.#clock, patience, this.#closing.signal);
        if (why === 'aborted') throw new PruneRefused('GATEWAY_STOPPING', GATEWAY_STOPPING);
        const answer = answers.shift();
        if (answer?.kind === 'done') return answer.report;
        if (answer?.kind === 'refused') throw new PruneRefused(answer.code, answer.sentence);
        if (answer === undefined && (why === 'elapsed' || isRefused)) {
          throw patience === HEARD_WITHIN_MS ? this.#noAnswer(agentId) : this.#silent(agentId);
        }
        if (this.#clock.now() >= until) throw new PruneRefused('PRUNE_GOES_ON', `${agentId} ${GOES_ON}`);
        if (answer !== undefined) patience = PRUNE_SILENCE_MS;
      }
    } finally {
      unhear();
    }
  }

  #noAnswer(agentId: string): PruneRefused {
    if (!this.#bus.isConnected()) return new PruneRefused('BUS_AWAY', BUS_AWAY);
    const sentence =
      `${agentId} did not answer within ${HEARD_WITHIN_MS / 1000} s: ` +
      'it is away, or older than this gateway and knows no such calls; bring it back, or update it';
    return new PruneRefused('AGENT_NO_ANSWER', sentence);
  }

  #silent(agentId: string): PruneRefused {
    if (!this.#bus.isConnected()) return new PruneRefused('BUS_AWAY', BUS_AWAY);
    return new PruneRefused('AGENT_SILENT', `${agentId} has fallen silent; ask again when it is back`);
  }
}

const BUS_AWAY = 'the bus is away; ask again when it is back';
const GATEWAY_STOPPING = 'this gateway stops; ask again';
const GOES_ON = 'is still at it; ask again under the same idempotency key for how it ended';
