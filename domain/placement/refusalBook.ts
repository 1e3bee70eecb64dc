import type { AgentState } from '../agents/state.ts';
import type { ZoneState } from '../zone/state.ts';
import type { Explanation } from './explanation.ts';
import { inOrder, MOST_EXPLAINED, NOWHERE, reasonsOf, refusedCandidate, type Question } from './explain.ts';
import type { ReasonCode } from './reasonCodes.ts';
import type { PlacementRequest } from './rule.ts';
import { placementRules } from './rules.ts';
import { shapeOf } from './shape.ts';

/** Shapes whose refusals are kept, the latest asked for: images are few, and sizes go with the image. */
const MOST_KEPT = 16;
/** Changes remembered between two refusals; after more, every agent is asked again. */
const MOST_TOUCHED = 65_536;

/** The agents to which the same rules say no to a shape. */
interface Verdict {
  readonly codes: readonly ReasonCode[];
  readonly never: number;
  readonly agents: Set<string>;
}

interface Page {
  readonly verdicts: Map<number, Verdict>;
  readonly verdictOf: Map<string, Verdict>;
  /** Up to which touch the verdicts are right. */
  upTo: number;
  /** Right as long as no verdict changes and no agent that it names. */
  answer: Explanation | null;
}

/**
 * Why no agent takes a request, without asking every agent each time: which rules say no is kept per shape, and asked again
 * only of the agents that changed since. Words are made for the nearest few. Equal shapes share one answer while nothing
 * changes.
 */
export class RefusalBook {
  readonly #state: ZoneState;
  readonly #pages = new Map<string, Page>();
  #touched: string[] = [];

  constructor(state: ZoneState) {
    this.#state = state;
  }

  touch(agentId: string): void {
    if (this.#pages.size === 0) return;
    if (this.#touched.length >= MOST_TOUCHED) {
      this.#pages.clear();
      this.#touched = [];
    } else this.#touched.push(agentId);
  }

  /**
   * To be asked when no agent takes the request: one to which no rule says no is kept for somebody who waits further ahead.
   * The counts are over all agents; the candidates are the nearest ones.
   */
  explain(question: Question): Explanation {
    const page = this.#pageFor(question.request);
    page.answer ??= this.#answer(page, question);
    return page.answer;
  }

  #pageFor(request: PlacementRequest): Page {
    const shape = shapeOf(request);
    const known = this.#pages.get(shape);
    const page = known ?? { verdicts: new Map(), verdictOf: new Map(), upTo: 0, answer: null };
    const changed = known === undefined ? this.#state.agents.keys() : new Set(this.#touched.slice(page.upTo));
    for (const agentId of changed) judge(page, agentId, this.#state.agents.get(agentId) ?? null, request);
    page.upTo = this.#touched.length;
    // The latest asked for stand last, so the first is the first to go.
    this.#pages.delete(shape);
    this.#pages.set(shape, page);
    const [oldest] = this.#pages.keys();
    if (this.#pages.size > MOST_KEPT && oldest !== undefined) this.#pages.delete(oldest);
    return page;
  }

  #answer({ verdicts, verdictOf }: Page, question: Question): Explanation {
    const nearest = nearestOf(verdicts).flatMap((agentId) => {
      const agent = this.#state.agents.get(agentId);
      return agent === undefined ? [] : [refusedCandidate(agent, reasonsOf(agent, question))];
    });
    const codes = new Map<ReasonCode, number>();
    for (const { codes: said, agents } of verdicts.values()) {
      if (agents.size === 0) continue;
      for (const code of reasonsSaid(said)) codes.set(code, (codes.get(code) ?? 0) + agents.size);
    }
    const agents = verdictOf.size;
    const complete = nearest.length === agents;
    return { ...NOWHERE, decision: 'waiting', agents, complete, codes: inOrder(codes), candidates: nearest };
  }
}

/** Asks every rule about one agent and puts it under its verdict. */
function judge(page: Page, agentId: string, agent: AgentState | null, request: PlacementRequest): void {
  const before = page.verdictOf.get(agentId);
  const after = agent === null ? undefined : verdictOn(page, agent, request);
  const isNamed = page.answer?.candidates.some((candidate) => candidate.agentId === agentId) === true;
  if (before !== after || isNamed) page.answer = null;
  if (before === after) return;
  before?.agents.delete(agentId);
  after?.agents.add(agentId);
  if (after === undefined) page.verdictOf.delete(agentId);
  else page.verdictOf.set(agentId, after);
}

function verdictOn({ verdicts }: Page, agent: AgentState, request: PlacementRequest): Verdict {
  const codes: ReasonCode[] = [];
  let never = 0;
  let key = 0;
  for (const rule of placementRules) {
    const finding = rule.check(agent, request);
    // One digit to the base of three per rule: no objection, not now, never. A number holds 33 of them.
    key = key * 3 + (finding === null ? 0 : finding.never ? 2 : 1);
    if (finding === null) continue;
    codes.push(rule.code);
    if (finding.never) never += 1;
  }
  const known = verdicts.get(key);
  if (known !== undefined) return known;
  const verdict = { codes, never, agents: new Set<string>() };
  verdicts.set(key, verdict);
  return verdict;
}

function reasonsSaid(codes: readonly ReasonCode[]): readonly ReasonCode[] {
  return codes.length === 0 ? ['LINE_RESERVED'] : codes;
}

/** The ids of the nearest agents in their order: fewer "never", fewer reasons, then id. */
function nearestOf(verdicts: ReadonlyMap<number, Verdict>): readonly string[] {
  const reasons = ({ codes }: Verdict) => reasonsSaid(codes).length;
  const sorted = [...verdicts.values()].toSorted((a, b) => a.never - b.never || reasons(a) - reasons(b));
  const nearest: string[] = [];
  let alike: Verdict[] = [];
  for (const [index, verdict] of sorted.entries()) {
    if (nearest.length >= MOST_EXPLAINED) break;
    alike.push(verdict);
    const next = sorted[index + 1];
    if (next !== undefined && next.never === verdict.never && reasons(next) === reasons(verdict)) continue;
    nearest.push(...lowestIds(alike, MOST_EXPLAINED - nearest.length));
    alike = [];
  }
  return nearest;
}

function lowestIds(verdicts: readonly Verdict[], most: number): readonly string[] {
  const lowest: string[] = [];
  for (const { agents } of verdicts) {
    for (const agentId of agents) {
      if (lowest.length >= most && agentId > (lowest.at(-1) ?? '')) continue;
      const place = lowest.findIndex((other) => agentId < other);
      lowest.splice(place < 0 ? lowest.length : place, 0, agentId);
      if (lowest.length > most) lowest.pop();
    }
  }
  return lowest;
}
