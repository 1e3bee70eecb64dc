import type { Candidate, Explanation, Reason } from '../../domain/placement/explanation.ts';
import { counted } from './amounts.ts';
import { hasCode } from './problem.ts';

/** Reasons of one agent, split by whether waiting helps. */
export interface SplitReasons {
  readonly never: readonly Reason[];
  readonly notNow: readonly Reason[];
}

export function splitReasons(reasons: readonly Reason[]): SplitReasons {
  return { never: reasons.filter((reason) => reason.never), notNow: reasons.filter((reason) => !reason.never) };
}

/** The rules say `it is disabled`; on this page that stands alone: `It is disabled.` */
export function asSentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

/** Whether the placement is asked for, was made, or was refused changes the tense, not the content. */
export type Tense = 'plan' | 'result';

/** `Would go to gpu-02.` and its kin. */
export function headline(explanation: Explanation, tense: Tense): string {
  const plan = tense === 'plan';
  switch (explanation.decision) {
    case 'placed':
      return `${plan ? 'Would go to' : 'Went to'} ${explanation.agentId ?? 'an agent'}${gpusText(explanation)}`;
    case 'waiting':
      return plan ? 'No agent has room now: it would wait in line' : 'No agent has room now: it waits in line';
    case 'refused':
      return plan ? 'No agent can take it: it would be refused' : 'Refused: no agent takes it';
  }
}

/** What the outcome means, in a word for the tag and with the load for those that fit. */
export function outcomeText(candidate: Candidate): string {
  const load = candidate.load === null ? '' : `, load ${Math.round(candidate.load * 100)} % after`;
  switch (candidate.outcome) {
    case 'chosen':
      return `chosen${load}`;
    case 'fits':
      return `fits${load}`;
    case 'refused':
      return candidate.reasons.some((reason) => reason.never) ? 'never' : 'not now';
  }
}

/** The explanation that comes with a refused start, or null when the error is another. */
export function refusedPlacement(error: unknown): Explanation | null {
  if (!hasCode(error, 'SESSION_REFUSED')) return null;
  const placement = error.details['placement'];
  return isExplanation(placement) ? placement : null;
}

function isExplanation(value: unknown): value is Explanation {
  return typeof value === 'object' && value !== null && 'candidates' in value && Array.isArray(value.candidates);
}

function gpusText(explanation: Explanation): string {
  return explanation.gpuUuids.length === 0 ? '' : ` with ${counted(explanation.gpuUuids.length, 'GPU', 'GPUs')}`;
}
