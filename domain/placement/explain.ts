import type { AgentState } from '../agents/state.ts';
import type { HeldSession, SessionState } from '../sessions/state.ts';
import type { RefusalSummary } from '../sessions/events.ts';
import type { Candidate, Explanation, Reason } from './explanation.ts';
import { compareLeastLoad, loadAfter, type Scored } from './leastLoad.ts';
import { isReserved, type Placement, type Reservation } from './place.ts';
import { REASON_CODES, type ReasonCode } from './reasonCodes.ts';
import { NOT_NOW, type PlacementRequest } from './rule.ts';
import { placementRules } from './rules.ts';

/** A fleet of up to so many agents is explained whole in every answer; of a larger one a refusal names so many. */
export const MOST_EXPLAINED = 20;
/** In a larger fleet an answer that placed a session names the chosen agent and the next best. */
export const MOST_RANKED = 4;

export interface Question {
  readonly sessions: ReadonlyMap<string, SessionState>;
  readonly request: PlacementRequest;
  readonly reservation: Reservation | null;
}

/** Every rule for every agent, in words: the chosen one first, then those that fit by load, then the refused, nearest first. */
export function explain(
  agents: Iterable<AgentState>,
  question: Question,
  placement: Placement,
  decision: Explanation['decision'],
): Explanation {
  const fitting: Scored[] = [];
  const refused: Candidate[] = [];
  for (const agent of agents) {
    const reasons = reasonsOf(agent, question);
    if (reasons.length === 0) fitting.push({ agent, load: loadAfter(agent, question.request) });
    else refused.push(refusedCandidate(agent, reasons));
  }
  const count = fitting.length + refused.length;
  const rest = refused.toSorted(compareNearness);
  if (placement.kind === 'placed') return placedOn(placement, fitting.toSorted(compareLeastLoad), rest, count);
  const codes = new Map<ReasonCode, number>();
  for (const { reasons } of refused) {
    for (const { code } of reasons) codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  return { ...NOWHERE, decision, agents: count, complete: true, codes: inOrder(codes), candidates: rest };
}

/** Why this one, from the best of those that fit in their order, and from what else is known of `agents` agents. */
export function placedOn(
  { agentId, claim }: Extract<Placement, { kind: 'placed' }>,
  ranked: readonly Scored[],
  refused: readonly Candidate[],
  agents: number,
): Explanation {
  const best = ranked[0]?.load ?? 0;
  const candidates = ranked.map(({ agent, load }): Candidate => {
    const chosen = agent.agentId === agentId;
    return {
      agentId: agent.agentId,
      outcome: chosen ? 'chosen' : 'fits',
      load,
      sessions: agent.sessions.size,
      reasons: chosen ? [] : [lowerScore(load, best)],
    };
  });
  return {
    decision: 'placed',
    agentId,
    gpuUuids: claim.gpuUuids,
    agents,
    complete: candidates.length + refused.length === agents,
    codes: {},
    candidates: [...candidates, ...refused],
  };
}

/** An explanation of a refusal or a wait, but for its candidates and counts. */
export const NOWHERE = { agentId: null, gpuUuids: [] } as const;

export function refusedCandidate({ agentId, sessions }: AgentState, reasons: readonly Reason[]): Candidate {
  return { agentId, outcome: 'refused', load: null, sessions: sessions.size, reasons };
}

/** Of a whole explanation what the answer to a request holds: of a small fleet everything. */
export function shortened(whole: Explanation): Explanation {
  if (whole.agents <= MOST_EXPLAINED) return whole;
  const candidates =
    whole.decision === 'placed'
      ? whole.candidates.filter(({ outcome }) => outcome !== 'refused').slice(0, MOST_RANKED)
      : whole.candidates.slice(0, MOST_EXPLAINED);
  return { ...whole, complete: false, candidates };
}

/** What the log keeps of a "no": the counts per code and the three nearest changes that the explanation names. */
export function summarize({ agents, codes, candidates }: Explanation): RefusalSummary {
  const nearest = candidates
    .filter(({ reasons }) => reasons.every((reason) => reason.fix !== null))
    .slice(0, 3)
    .map(({ agentId, reasons }) => ({ agentId, sentence: cut(reasons.map((reason) => reason.fix).join('; ')) }));
  return { agents, codes: { ...codes }, nearest };
}

/**
 * Every agent says "never": no waiting and no freed session would ever make it fit. The nearest says it last. False while
 * there is no agent.
 */
export function isHopeless({ candidates: [nearest] }: Explanation): boolean {
  return nearest !== undefined && nearest.reasons.some((reason) => reason.never);
}

export function reasonsOf(agent: AgentState, question: Question): readonly Reason[] {
  const { request, reservation } = question;
  const reasons: Reason[] = [];
  let held: readonly HeldSession[] | null = null;
  for (const rule of placementRules) {
    const finding = rule.check(agent, request);
    if (finding === null) continue;
    held ??= heldOn(agent, question.sessions);
    const wording = { agent, request, finding, held };
    reasons.push({ code: rule.code, ...finding, sentence: rule.sentence(wording), fix: rule.fix(wording) });
  }
  if (reasons.length === 0 && isReserved(agent, request, reservation)) reasons.push(LINE_RESERVED);
  return reasons;
}

/** Counts per code in the order of the codes, so that equal counts are equal texts. */
export function inOrder(counts: ReadonlyMap<ReasonCode, number>): Explanation['codes'] {
  const codes: Record<string, number> = {};
  for (const code of REASON_CODES) {
    const count = counts.get(code);
    if (count !== undefined) codes[code] = count;
  }
  return codes;
}

const LINE_RESERVED: Reason = {
  code: 'LINE_RESERVED',
  ...NOT_NOW,
  sentence: 'it is kept for a session that waits further ahead in the line',
  fix: 'wait, or ask with a higher priority',
};

function lowerScore(load: number, best: number): Reason {
  const percent = (value: number) => Math.round(value * 100);
  const sentence =
    percent(load) === percent(best)
      ? `it would be loaded just as much (${percent(load)} %), and has more sessions or a later id`
      : `it would be loaded to ${percent(load)} %, the chosen one to ${percent(best)} %`;
  return { code: 'LOWER_SCORE', never: false, numbers: { load, best }, sentence, fix: null };
}

function heldOn(agent: AgentState, sessions: ReadonlyMap<string, SessionState>): readonly HeldSession[] {
  const held: HeldSession[] = [];
  for (const sessionId of agent.sessions) {
    const session = sessions.get(sessionId);
    if (session !== undefined && session.phase !== 'waiting') held.push(session);
  }
  return held;
}

/** Fewer "never", fewer reasons, then id: what an operator would try first. */
function compareNearness(a: Candidate, b: Candidate): number {
  const never = (candidate: Candidate) => candidate.reasons.filter((reason) => reason.never).length;
  return never(a) - never(b) || a.reasons.length - b.reasons.length || (a.agentId < b.agentId ? -1 : 1);
}

function cut(text: string): string {
  return text.length <= 500 ? text : `${text.slice(0, 499)}…`;
}
