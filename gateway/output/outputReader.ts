import { randomUUID } from 'node:crypto';
import type { OutputEnd, OutputLine } from '../../domain/output.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import {
  ALIVE_MS,
  callForOutput,
  hearOutputAnswers,
  SILENCE_MS,
  WINDOW,
  type OutputAnswer,
} from '../../infra/bus/outputCalls.ts';
import type { Clock } from '../../infra/clock.ts';
import { OutputUnavailable } from './errors.ts';

/** Readings at the same time, of all sessions and of those of one agent. */
const MOST_READINGS = 100;
const MOST_OF_AN_AGENT = 12;
/** An agent answers at once that it has heard; then the engine may take its time. */
const HEARD_WITHIN_MS = 3000;
const OPENED_WITHIN_MS = 25_000;

export interface OutputAsked {
  readonly agentId: string;
  readonly logId: string;
  readonly sessionId: string;
  readonly tail: number;
  readonly after: string | null;
  readonly follow: boolean;
}

/** Lines as they come, and at last why nothing more does. */
export type OutputPart =
  | { readonly kind: 'lines'; readonly lines: readonly OutputLine[] }
  | { readonly kind: 'end'; readonly end: OutputEnd };

/**
 * Asks agents for what sessions print. Whoever reads slowly slows the agent's reading: lines are asked for only as they are
 * taken from here, so that at most a few messages of one reading are in this process.
 */
export class OutputReader {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #byAgent = new Map<string, number>();
  readonly #closing = new AbortController();

  constructor(bus: Bus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  /** How many are read just now. */
  get readings(): number {
    return [...this.#byAgent.values()].reduce((sum, each) => sum + each, 0);
  }

  /** Every reading ends, and says so. */
  close(): void {
    this.#closing.abort();
  }

  /**
   * Resolves when the agent's engine has begun to read. Throws OutputUnavailable. The reading ends when it is over, when the
   * signal aborts or when nobody takes from it any more; whoever opens it takes from it.
   */
  async open(asked: OutputAsked, signal: AbortSignal): Promise<AsyncGenerator<OutputPart>> {
    const { agentId } = asked;
    const ofAgent = this.#byAgent.get(agentId) ?? 0;
    if (this.readings >= MOST_READINGS || ofAgent >= MOST_OF_AN_AGENT) {
      const what = ofAgent >= MOST_OF_AN_AGENT ? `${ofAgent} sessions on ${agentId}` : `${MOST_READINGS} sessions`;
      const sentence = `this gateway reads the output of ${what} already; close some of those pages or programs`;
      throw new OutputUnavailable({ code: 'TOO_MANY_READERS', sentence });
    }
    this.#byAgent.set(agentId, ofAgent + 1);
    const call = new OutputReading(this.#bus, this.#clock, asked, AbortSignal.any([signal, this.#closing.signal]));
    const release = (): void => {
      call.stop();
      const left = (this.#byAgent.get(agentId) ?? 1) - 1;
      if (left === 0) this.#byAgent.delete(agentId);
      else this.#byAgent.set(agentId, left);
    };
    try {
      await call.begin();
    } catch (error) {
      release();
      throw error;
    }
    const isClosing = (): boolean => this.#closing.signal.aborted;
    return (async function* parts(): AsyncGenerator<OutputPart> {
      try {
        for (let part = await call.next(); part !== null; part = await call.next()) {
          yield part;
          if (part.kind === 'end') return;
          call.taken();
        }
        if (isClosing()) yield { kind: 'end', end: GATEWAY_STOPPING };
      } finally {
        release();
      }
    })();
  }
}

/** One call of an agent. */
class OutputReading {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #asked: OutputAsked;
  readonly #signal: AbortSignal;
  readonly #callId = randomUUID();
  /** At most as many as there is credit for. */
  readonly #queue: OutputAnswer[] = [];
  #wake: () => void = () => undefined;
  #heardAt = 0;
  #credit = WINDOW;
  #number = 0;
  #refused = false;
  #unhear: () => void = () => undefined;
  #beat: ReturnType<typeof setInterval> | undefined;

  constructor(bus: Bus, clock: Clock, asked: OutputAsked, signal: AbortSignal) {
    this.#bus = bus;
    this.#clock = clock;
    this.#asked = asked;
    this.#signal = signal;
  }

  async begin(): Promise<void> {
    const { agentId, ...asked } = this.#asked;
    if (!this.#bus.isConnected()) throw new OutputUnavailable(BUS_AWAY);
    this.#signal.addEventListener('abort', this.#ring, { once: true });
    this.#unhear = hearOutputAnswers(
      this.#bus,
      { agentId, callId: this.#callId },
      (answer) => this.#hear(answer),
      () => {
        this.#refused = true;
        this.#ring();
      },
    );
    callForOutput(this.#bus, agentId, { kind: 'read', callId: this.#callId, credit: this.#credit, ...asked });
    const heard = await this.#answer(HEARD_WITHIN_MS);
    if (heard === null) throw new OutputUnavailable(noAnswer(agentId));
    const opened = heard.kind === 'heard' ? await this.#answer(OPENED_WITHIN_MS) : heard;
    if (opened === null) throw new OutputUnavailable(silent(agentId));
    if (opened.kind === 'end') throw new OutputUnavailable(opened.end);
    this.#beat = setInterval(() => this.#giveCredit(), ALIVE_MS);
  }

  /** The next part; null when the signal has aborted. Never anything after an end. */
  async next(): Promise<OutputPart | null> {
    const answer = await this.#answer(SILENCE_MS);
    if (this.#signal.aborted) return null;
    const { agentId } = this.#asked;
    if (answer === null) return { kind: 'end', end: this.#bus.isConnected() ? silent(agentId) : BUS_AWAY };
    if (answer.kind !== 'lines' && answer.kind !== 'end') return await this.next();
    this.#number += 1;
    if (answer.number !== this.#number) return { kind: 'end', end: LINES_LOST };
    return answer.kind === 'lines' ? { kind: 'lines', lines: answer.lines } : { kind: 'end', end: answer.end };
  }

  /** What came last has gone on its way: there is room for one more. */
  taken(): void {
    this.#credit = this.#number + WINDOW;
    this.#giveCredit();
  }

  stop(): void {
    clearInterval(this.#beat);
    this.#signal.removeEventListener('abort', this.#ring);
    this.#unhear();
    callForOutput(this.#bus, this.#asked.agentId, { kind: 'stop', callId: this.#callId });
  }

  readonly #ring = (): void => this.#wake();

  #giveCredit(): void {
    callForOutput(this.#bus, this.#asked.agentId, { kind: 'credit', callId: this.#callId, credit: this.#credit });
  }

  #hear(answer: OutputAnswer | null): void {
    this.#heardAt = this.#clock.now();
    // What is not understood is a gap in the numbers, and so is what comes beyond the credit.
    if (answer === null || this.#queue.length > WINDOW) return;
    if (answer.kind !== 'alive') this.#queue.push(answer);
    this.#ring();
  }

  /** Null: the signal has aborted, or nothing at all was heard for so long. */
  async #answer(withinMs: number): Promise<OutputAnswer | null> {
    this.#heardAt = this.#clock.now();
    for (;;) {
      const answer = this.#queue.shift();
      if (answer !== undefined) return answer;
      const left = this.#heardAt + withinMs - this.#clock.now();
      if (this.#signal.aborted || this.#refused || left <= 0) return null;
      const rung = new AbortController();
      this.#wake = () => rung.abort();
      await this.#clock.sleep(left, rung.signal);
    }
  }
}

const BUS_AWAY: OutputEnd = { code: 'BUS_AWAY', sentence: 'the bus is away; ask again when it is back' };
const LINES_LOST: OutputEnd = { code: 'LINES_LOST', sentence: 'some lines were lost on the way; ask again' };
const GATEWAY_STOPPING: OutputEnd = { code: 'GATEWAY_STOPPING', sentence: 'this gateway stops; ask again' };

function noAnswer(agentId: string): OutputEnd {
  const sentence =
    `${agentId} did not answer within ${HEARD_WITHIN_MS / 1000} s: ` +
    'it is away, or older than this gateway and knows no such calls; bring it back, or update it';
  return { code: 'AGENT_NO_ANSWER', sentence };
}

function silent(agentId: string): OutputEnd {
  return { code: 'AGENT_SILENT', sentence: `${agentId} has fallen silent; ask again when it is back` };
}
