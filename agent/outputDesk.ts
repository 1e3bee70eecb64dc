import type { OutputEnd, OutputEndCode, OutputLine } from '../domain/output.ts';
import { ALIVE_MS, inMessages, SILENCE_MS, type OutputAnswer, type OutputCall } from '../infra/bus/outputCalls.ts';
import type { Clock } from '../infra/clock.ts';
import { EngineErrorCode, isEngineError } from './engine/errors.ts';
import type { OutputWanted } from './engine/port.ts';
import type { AgentLog } from './ports.ts';

/** Output that is read at the same time: each holds a connection to the engine. */
const MOST_AT_ONCE = 16;

export interface OutputPorts {
  readonly clock: Clock;
  readonly log: AgentLog;
  /** The log whose sessions are this agent's; null while it has no document. No other's container is read. */
  readonly logId: () => string | null;
  readonly read: (wanted: OutputWanted, signal: AbortSignal) => Promise<AsyncIterable<readonly OutputLine[]>>;
  readonly answer: (callId: string, answer: OutputAnswer) => void;
}

type ReadCall = Extract<OutputCall, { kind: 'read' }>;

/** One reading that is under way. */
interface Reading {
  readonly ended: AbortController;
  /** The last message of lines that the gateway has room for. */
  credit: number;
  /** ms since 1970. */
  heardAt: number;
  /** Tells whoever waits for credit. */
  wake: () => void;
}

/**
 * Reads out what containers of this agent's sessions print, for gateways that ask. It never reads on before the gateway has
 * room, and stops when the gateway says so, falls silent, or the agent ends.
 */
export class OutputDesk {
  readonly #ports: OutputPorts;
  readonly #readings = new Map<string, Reading>();
  #closed = false;

  constructor(ports: OutputPorts) {
    this.#ports = ports;
  }

  /** How many are read just now. */
  get readings(): number {
    return this.#readings.size;
  }

  take(call: OutputCall): void {
    const reading = this.#readings.get(call.callId);
    switch (call.kind) {
      case 'read':
        // The very same call again says nothing new.
        if (reading === undefined) void this.#begin(call);
        break;
      case 'credit':
        if (reading === undefined) return;
        reading.credit = Math.max(reading.credit, call.credit);
        reading.heardAt = this.#ports.clock.now();
        reading.wake();
        break;
      case 'stop':
        reading?.ended.abort();
    }
  }

  /** The agent ends: whoever reads is told. */
  close(): void {
    this.#closed = true;
    for (const { ended } of this.#readings.values()) ended.abort();
  }

  async #begin(call: ReadCall): Promise<void> {
    const { callId, credit } = call;
    const { answer, clock, logId } = this.#ports;
    answer(callId, { kind: 'heard' });
    const refusal = this.#closed ? STOPPING : this.#readings.size >= MOST_AT_ONCE ? TOO_MANY : null;
    const wrongLog = call.logId === logId() ? null : OTHER_LOG;
    if (refusal !== null || wrongLog !== null) {
      answer(callId, { kind: 'end', number: 1, end: refusal ?? wrongLog ?? STOPPING });
      return;
    }
    const reading: Reading = { ended: new AbortController(), credit, heardAt: clock.now(), wake() {} };
    reading.ended.signal.addEventListener('abort', () => reading.wake(), { once: true });
    this.#readings.set(callId, reading);
    void this.#keepAlive(callId, reading);
    let number = 0;
    let end: OutputEnd;
    try {
      const output = await this.#ports.read(call, reading.ended.signal);
      answer(callId, { kind: 'opened' });
      for await (const lines of output) {
        for (const part of inMessages(lines)) {
          await room(reading, number + 1);
          if (reading.ended.signal.aborted) break;
          number += 1;
          answer(callId, { kind: 'lines', number, lines: part });
        }
        if (reading.ended.signal.aborted) break;
      }
      end = this.#closed ? STOPPING : call.follow ? CONTAINER_ENDED : COMPLETE;
    } catch (error) {
      if (!isEngineError(error)) this.#ports.log.error({ err: error, callId }, 'output could not be read');
      end = endBy(error);
    }
    this.#readings.delete(callId);
    reading.ended.abort();
    answer(callId, { kind: 'end', number: number + 1, end });
  }

  /** A gateway that is gone says no more, so silence ends the reading. */
  async #keepAlive(callId: string, reading: Reading): Promise<void> {
    const { clock, answer, log } = this.#ports;
    const { signal } = reading.ended;
    for (;;) {
      await clock.sleep(ALIVE_MS, signal);
      if (signal.aborted) return;
      if (clock.now() - reading.heardAt > SILENCE_MS) {
        log.debug({ callId }, 'the gateway that reads output fell silent');
        reading.ended.abort();
        return;
      }
      answer(callId, { kind: 'alive' });
    }
  }
}

/** Resolves when that message may be sent, or the reading has ended. */
async function room(reading: Reading, number: number): Promise<void> {
  while (number > reading.credit && !reading.ended.signal.aborted) {
    await new Promise<void>((resolve) => {
      reading.wake = resolve;
    });
  }
}

const COMPLETE: OutputEnd = { code: 'COMPLETE', sentence: 'That is all that was asked for.' };
const CONTAINER_ENDED: OutputEnd = {
  code: 'CONTAINER_ENDED',
  sentence: 'The container has ended; nothing more comes.',
};
const STOPPING: OutputEnd = { code: 'AGENT_STOPPING', sentence: 'The agent stops; ask again when it is back.' };
const TOO_MANY: OutputEnd = {
  code: 'TOO_MANY_READERS',
  sentence: `The agent reads the output of ${MOST_AT_ONCE} sessions already; close some of those pages or programs.`,
};
const OTHER_LOG: OutputEnd = {
  code: 'OTHER_LOG',
  sentence: 'The agent has no document of this log yet, or works for another: it reads no container of it.',
};

function endBy(error: unknown): OutputEnd {
  if (!isEngineError(error))
    return { code: 'ENGINE_REFUSED', sentence: 'The agent could not read it; its log says why.' };
  const sentence = error.message.slice(0, 2000);
  return { code: END_OF[error.code] ?? 'ENGINE_REFUSED', sentence };
}

const END_OF: Readonly<Partial<Record<EngineErrorCode, OutputEndCode>>> = {
  [EngineErrorCode.containerGone]: 'CONTAINER_GONE',
  [EngineErrorCode.engineDown]: 'ENGINE_DOWN',
  [EngineErrorCode.timeout]: 'ENGINE_DOWN',
};
