import * as z from 'zod';
import { id } from '../../domain/schemas.ts';
import { MOST_OUTPUT_LINES, outputEnd, outputLine } from '../../domain/output.ts';
import { agentAnswerSubject, outputCallSubject } from '../names.ts';
import { hearMessages, sendMessage, type Heard } from './agentCalls.ts';
import type { Bus } from './connect.ts';

/**
 * How a gateway has an agent read out what a session's program prints. Both sides are bounded: the agent sends lines number 1 up
 * to the credit it was last given and then waits, so that a slow reader stops the reading and nothing collects in between. Each
 * side hears from the other at least every `ALIVE_MS`, and gives the other up after `SILENCE_MS`.
 */
export const ALIVE_MS = 5000;
export const SILENCE_MS = 15_000;
/** Messages with lines that may be on their way at once. */
export const WINDOW = 8;
/** Of a message, so that it stays far below the megabyte that the bus takes, escapes included. */
const MOST_LINES = 500;
const MOST_CHARACTERS = 64 * 1024;

export const outputCall = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('read'),
    callId: id,
    logId: z.string().min(1).max(64),
    sessionId: id,
    tail: z.int().min(0).max(MOST_OUTPUT_LINES),
    after: z.string().max(40).nullable(),
    follow: z.boolean(),
    credit: z.int().min(1).max(1000),
  }),
  /** The last message of lines that may be sent; also a sign of life. */
  z.object({ kind: z.literal('credit'), callId: id, credit: z.int().min(1) }),
  z.object({ kind: z.literal('stop'), callId: id }),
]);
export type OutputCall = z.infer<typeof outputCall>;

export const outputAnswer = z.discriminatedUnion('kind', [
  /** At once: this agent knows such calls. */
  z.object({ kind: z.literal('heard') }),
  /** The engine has begun to read. */
  z.object({ kind: z.literal('opened') }),
  /** Numbered from 1 without a gap, the end included. */
  z.object({ kind: z.literal('lines'), number: z.int().min(1), lines: z.array(outputLine) }),
  z.object({ kind: z.literal('alive') }),
  z.object({ kind: z.literal('end'), number: z.int().min(1), end: outputEnd }),
]);
export type OutputAnswer = z.infer<typeof outputAnswer>;

/** Hears what gateways call an agent for, through reconnects. `onRefused`: the bus does not let it. The result ends it. */
export function hearOutputCalls(
  bus: Bus,
  agentId: string,
  onCall: Heard<OutputCall>,
  onRefused: (error: Error) => void,
): () => void {
  return hearMessages(bus, outputCallSubject(agentId), outputCall, onCall, onRefused);
}

/** Hears an agent's answers to one call. */
export function hearOutputAnswers(
  bus: Bus,
  call: { readonly agentId: string; readonly callId: string },
  onAnswer: Heard<OutputAnswer>,
  onRefused: (error: Error) => void,
): () => void {
  return hearMessages(bus, agentAnswerSubject(call.agentId, call.callId), outputAnswer, onAnswer, onRefused);
}

/** False: the bus is away, and it was not sent. */
export function callForOutput(bus: Bus, agentId: string, call: OutputCall): boolean {
  return sendMessage(bus, outputCallSubject(agentId), call);
}

export function answerWithOutput(bus: Bus, agentId: string, callId: string, answer: OutputAnswer): boolean {
  return sendMessage(bus, agentAnswerSubject(agentId, callId), answer);
}

/** Cuts lines into what one message may hold. */
export function* inMessages(lines: readonly z.infer<typeof outputLine>[]): Iterable<z.infer<typeof outputLine>[]> {
  let part: z.infer<typeof outputLine>[] = [];
  let characters = 0;
  for (const line of lines) {
    if (part.length > 0 && (part.length >= MOST_LINES || characters + line.text.length > MOST_CHARACTERS)) {
      yield part;
      part = [];
      characters = 0;
    }
    part.push(line);
    characters += line.text.length;
  }
  if (part.length > 0) yield part;
}
