import * as z from 'zod';
import { id, reasonText } from '../../domain/schemas.ts';
import { activePruneMode, pruneAsker, pruneReport } from '../../domain/pruning/record.ts';
import { agentAnswerSubject, pruneCallSubject } from '../names.ts';
import { hearMessages, sendMessage, type Heard } from './agentCalls.ts';
import type { Bus } from './connect.ts';

/** How a gateway has an agent prune its images, or tell what that would remove. While it works the agent says that it is there. */
export const PRUNE_ALIVE_MS = 5000;
export const PRUNE_SILENCE_MS = 15_000;

export const pruneCall = z.discriminatedUnion('kind', [
  /** The very same call again gets the very same answer. */
  z.object({
    kind: z.literal('prune'),
    callId: id,
    logId: z.string().min(1).max(64),
    mode: activePruneMode,
    dryRun: z.boolean(),
    asker: pruneAsker.extend({ reason: reasonText.nullable() }),
  }),
  /** Nobody waits for an answer: an agent that did not hear it looks within an hour by itself. */
  z.object({ kind: z.literal('definitions changed') }),
]);
export type PruneCall = z.infer<typeof pruneCall>;

/** Why an agent did not prune. Stable: programs match on them. */
export const PRUNE_REFUSALS = [
  'ENGINE_DOWN',
  'OTHER_LOG',
  'PRUNE_FAILED',
  'PRUNES_WAITING',
  'KEY_REUSED',
  'AGENT_STOPPING',
  'AGENT_NO_ANSWER',
  'AGENT_SILENT',
  'PRUNE_GOES_ON',
  'BUS_AWAY',
  'GATEWAY_STOPPING',
] as const;
export type PruneRefusalCode = (typeof PRUNE_REFUSALS)[number];

export const pruneAnswer = z.discriminatedUnion('kind', [
  /** At once: this agent knows such calls. */
  z.object({ kind: z.literal('heard') }),
  z.object({ kind: z.literal('alive') }),
  z.object({ kind: z.literal('done'), report: pruneReport }),
  z.object({ kind: z.literal('refused'), code: z.enum(PRUNE_REFUSALS), sentence: z.string().max(2000) }),
]);
export type PruneAnswer = z.infer<typeof pruneAnswer>;

/** Hears what gateways call an agent for, through reconnects. `onRefused`: the bus does not let it. The result ends it. */
export function hearPruneCalls(
  bus: Bus,
  agentId: string,
  onCall: Heard<PruneCall>,
  onRefused: (error: Error) => void,
): () => void {
  return hearMessages(bus, pruneCallSubject(agentId), pruneCall, onCall, onRefused);
}

/** Hears an agent's answers to one call. */
export function hearPruneAnswers(
  bus: Bus,
  call: { readonly agentId: string; readonly callId: string },
  onAnswer: Heard<PruneAnswer>,
  onRefused: (error: Error) => void,
): () => void {
  return hearMessages(bus, agentAnswerSubject(call.agentId, call.callId), pruneAnswer, onAnswer, onRefused);
}

/** False: the bus is away, and it was not sent. */
export function callForPrune(bus: Bus, agentId: string, call: PruneCall): boolean {
  return sendMessage(bus, pruneCallSubject(agentId), call);
}

export function answerPrune(bus: Bus, agentId: string, callId: string, answer: PruneAnswer): boolean {
  return sendMessage(bus, agentAnswerSubject(agentId, callId), answer);
}
