import type { AgentState } from '../agents/state.ts';
import type { HeldSession, SessionState } from '../sessions/state.ts';
import type { RefusalSummary } from '../sessions/events.ts';
import type { Candidate, Explanation, Reason } from './explanation.ts';
import { compareLeastLoad, loadAfter } from './leastLoad.ts';
import { isReserved, type Placement, type Reservation } from './place.ts';
import { NOT_NOW, type PlacementRequest } from './rule.ts';
import { placementRules } from './rules.ts';

export interface Question {
  readonly agents: Iterable<AgentState>;
  readonly sessions: ReadonlyMap<string, SessionState>;
  readonly request: PlacementRequest;
  readonly reservation: Reservation | null;
}

/** Every rule for every agent, in words: the chosen one first, then those that fit by load, then the refused, nearest first. */
export function explain(question: Question, placement: Placement, decision: Explanation['decision']): Explanation {
  const chosen = placement.kind === 'placed' ? placement.agentId : null;
  const fitting: { readonly agent: AgentState; readonly load: number }[] = [];
  const refused: Candidate[] = [];
  for (const agent of question.agents) {
    const reasons = reasonsOf(agent, question);
    if (reasons.length === 0) fitting.push({ agent, load: loadAfter(agent, question.request) });
    else
      refused.push({ agentId: agent.agentId, outcome: 'refused', load: null, sessions: agent.sessions.size, reasons });
  }
  const ranked = fitting.toSorted(compareLeastLoad);
  const best = ranked[0]?.load ?? 0;
  return {
    decision,
    agentId: chosen,
    gpuUuids: placement.kind === 'placed' ? placement.claim.gpuUuids : [],
    candidates: [
      ...ranked.map(({ agent, load }): Candidate => ({
        agentId: agent.agentId,
        outcome: agent.agentId === chosen ? 'chosen' : 'fits',
        load,
        sessions: agent.sessions.size,
        reasons: agent.agentId === chosen ? [] : [lowerScore(load, best)],
      })),
      ...refused.toSorted(compareNearness),
    ],
  };
}

/** What the log keeps of a "no": the counts per code and the three nearest changes. */
export function summarize(explanation: Explanation): RefusalSummary {
  const codes: Record<string, number> = {};
  for (const candidate of explanation.candidates) {
    for (const reason of candidate.reasons) codes[reason.code] = (codes[reason.code] ?? 0) + 1;
  }
  const nearest = explanation.candidates
    .filter((candidate) => candidate.reasons.every((reason) => reason.fix !== null))
    .slice(0, 3)
    .map(({ agentId, reasons }) => ({ agentId, sentence: cut(reasons.map((reason) => reason.fix).join('; ')) }));
  return { agents: explanation.candidates.length, codes, nearest };
}

/** Every agent says "never": no waiting and no freed session would ever make it fit. False while there is no agent. */
export function isHopeless(explanation: Explanation): boolean {
  const { candidates } = explanation;
  return candidates.length > 0 && candidates.every(({ reasons }) => reasons.some((reason) => reason.never));
}

function reasonsOf(agent: AgentState, question: Question): Reason[] {
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
