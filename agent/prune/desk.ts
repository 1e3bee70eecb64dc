import type { PruneReport } from '../../domain/pruning/record.ts';
import { PRUNE_ALIVE_MS, type PruneAnswer, type PruneCall } from '../../infra/bus/pruneCalls.ts';
import type { Clock } from '../../infra/clock.ts';
import { isEngineDown } from '../engine/errors.ts';
import type { AgentLog } from '../ports.ts';
import type { PruneWish } from './pruner.ts';

/** Answers remembered, so that a repeated call gets the first one; and calls that may wait for one another. */
const REMEMBERED = 32;
const MOST_WAITING = 4;

export interface PruneDeskPorts {
  readonly clock: Clock;
  readonly log: AgentLog;
  /** The log that this agent works for; null while it has no document. */
  readonly logId: () => string | null;
  readonly prune: (wish: PruneWish) => Promise<PruneReport>;
  readonly answer: (callId: string, answer: PruneAnswer) => void;
}

type Asked = Extract<PruneCall, { kind: 'prune' }>;

interface Known {
  readonly call: string;
  /** Null while it is worked on. */
  answer: PruneAnswer | null;
}

/** Where gateways ask for a prune, or for what one would remove. Each call is carried out once, however often it comes. */
export class PruneDesk {
  readonly #ports: PruneDeskPorts;
  readonly #known = new Map<string, Known>();
  #waiting = 0;
  readonly #closed = new AbortController();

  constructor(ports: PruneDeskPorts) {
    this.#ports = ports;
  }

  take(call: Asked): void {
    const { callId } = call;
    this.#ports.answer(callId, { kind: 'heard' });
    const known = this.#known.get(callId);
    if (known === undefined) return void this.#begin(call);
    if (known.call !== gist(call)) this.#ports.answer(callId, refused('KEY_REUSED', REUSED));
    // Of one that is worked on the answer comes to whoever listens by then.
    else if (known.answer !== null) this.#ports.answer(callId, known.answer);
  }

  /** The agent ends: whoever waits is told. */
  close(): void {
    this.#closed.abort();
    for (const [callId, { answer }] of this.#known) {
      if (answer === null) this.#ports.answer(callId, refused('AGENT_STOPPING', STOPPING));
    }
  }

  async #begin(call: Asked): Promise<void> {
    const { callId, mode, dryRun, asker, logId } = call;
    const { answer, prune } = this.#ports;
    if (logId !== this.#ports.logId()) return answer(callId, refused('OTHER_LOG', OTHER_LOG));
    if (this.#waiting >= MOST_WAITING) return answer(callId, refused('PRUNES_WAITING', WAITING));
    const known: Known = { call: gist(call), answer: null };
    this.#remember(callId, known);
    this.#waiting += 1;
    const ended = new AbortController();
    void this.#keepAlive(callId, AbortSignal.any([ended.signal, this.#closed.signal]));
    try {
      known.answer = { kind: 'done', report: await prune({ mode, dryRun, asker }) };
    } catch (error) {
      this.#ports.log.warn({ err: error, mode, dryRun }, 'a prune that was asked for failed');
      known.answer = refusalOf(error);
      // Asked again under the same key it is tried again.
      this.#known.delete(callId);
    }
    this.#waiting -= 1;
    ended.abort();
    answer(callId, known.answer);
  }

  #remember(callId: string, known: Known): void {
    this.#known.set(callId, known);
    for (const [oldest, { answer }] of this.#known) {
      if (this.#known.size <= REMEMBERED) break;
      if (answer !== null) this.#known.delete(oldest);
    }
  }

  async #keepAlive(callId: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#ports.clock.sleep(PRUNE_ALIVE_MS, signal);
      if (!signal.aborted) this.#ports.answer(callId, { kind: 'alive' });
    }
  }
}

const OTHER_LOG =
  'the agent works for another log, or has no document yet; look again when it has checked in with this one';
const WAITING = `the agent has ${MOST_WAITING} prunes to do already; ask again when they are over`;
const STOPPING = 'the agent is stopping; ask again when it has been started';
const REUSED = 'this key was used for another prune; ask under a new one';

function gist({ mode, dryRun }: Asked): string {
  return `${mode} ${dryRun}`;
}

function refused(code: Extract<PruneAnswer, { kind: 'refused' }>['code'], sentence: string): PruneAnswer {
  return { kind: 'refused', code, sentence };
}

function refusalOf(error: unknown): PruneAnswer {
  const sentence = (error instanceof Error ? error.message : String(error)).slice(0, 2000);
  return refused(isEngineDown(error) ? 'ENGINE_DOWN' : 'PRUNE_FAILED', sentence);
}
