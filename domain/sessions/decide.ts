import type { AgentState } from '../agents/state.ts';
import { accept, reject, type Decision } from '../decision.ts';
import type { ZoneFact } from '../events.ts';
import { explain, isHopeless, MOST_EXPLAINED, MOST_RANKED, placedOn, summarize } from '../placement/explain.ts';
import type { Explanation } from '../placement/explanation.ts';
import type { PlacementIndex } from '../placement/index/placementIndex.ts';
import { placementAids } from '../placement/index/zoneIndex.ts';
import { placementOn, type Placement, type Reservation } from '../placement/place.ts';
import { shapeOfWaiting } from '../placement/shape.ts';
import type { Claim } from '../schemas.ts';
import type { RequestSession, ZoneCommand } from '../zone/commands.ts';
import { LINE_LIMIT, type ZoneState } from '../zone/state.ts';

/**
 * Places the session at once, or puts it in the line, or refuses it, as it asks; the request, the decision and the claim
 * are one step. A request that every agent would refuse for ever is refused also when it would wait.
 * The answer's `detail` is its Explanation: of a small fleet the whole one, of a large one the first few agents.
 */
export function decideRequest(state: ZoneState, command: RequestSession): Decision<ZoneFact> {
  const { type: _, ...requested } = command;
  const { sessionId } = command;
  if (state.sessions.has(sessionId)) return reject('SESSION_EXISTS', `session ${sessionId} is already there`);
  if (command.agentId !== null && !state.agents.has(command.agentId)) {
    return reject('AGENT_UNKNOWN', `no agent "${command.agentId}" has joined this zone`);
  }
  const asked: ZoneFact = { type: 'SessionRequested', data: requested };
  const { explanation, fact } = decidePlacement(state, command);
  if (fact.type === 'SessionWaiting' && state.line.length >= LINE_LIMIT) {
    return reject('LINE_FULL', `${LINE_LIMIT} sessions are waiting already`, { waiting: state.line.length });
  }
  return accept([asked, fact], { sessionId, decision: explanation.decision }, explanation);
}

/** What would happen to this request now: the explanation and the event that would record it. Nothing is changed. */
export function decidePlacement(
  state: ZoneState,
  { sessionId, image, agentId, priority, whenFull }: Omit<RequestSession, 'type'>,
): { readonly explanation: Explanation; readonly fact: ZoneFact } {
  const { agents, sessions } = state;
  const { index, refusals } = placementAids(state);
  const request = { needs: image, pinnedAgentId: agentId };
  const reservation = reservationAhead(state, index, priority);
  const ranked = index.best(request, reservation, MOST_RANKED);
  const placement: Placement = ranked[0] === undefined ? { kind: 'nowhere' } : placementOn(ranked[0].agent, request);
  const question = { sessions, request, reservation };
  const isSmall = agents.size <= MOST_EXPLAINED;
  if (placement.kind === 'placed') {
    return {
      explanation: isSmall
        ? explain(agents.values(), question, placement, 'placed')
        : placedOn(placement, ranked, [], agents.size),
      fact: { type: 'SessionPlaced', data: { sessionId, agentId: placement.agentId, claim: placement.claim } },
    };
  }
  const waiting = isSmall ? explain(agents.values(), question, placement, 'waiting') : refusals.explain(question);
  const refused = whenFull === 'fail' || isHopeless(waiting);
  const refusal = summarize(waiting);
  return refused
    ? {
        explanation: { ...waiting, decision: 'refused' },
        fact: { type: 'SessionRefused', data: { sessionId, refusal } },
      }
    : { explanation: waiting, fact: { type: 'SessionWaiting', data: { sessionId, refusal } } };
}

/** A waiting session leaves the line at once; a placed one is withdrawn and its claim stays until evidence. */
export function decideStop(
  state: ZoneState,
  { sessionId, cause }: Extract<ZoneCommand, { type: 'StopSession' }>,
): Decision<ZoneFact> {
  const session = state.sessions.get(sessionId);
  if (session === undefined) return reject('SESSION_UNKNOWN', `no live session ${sessionId} in this zone`);
  if (session.phase === 'waiting') {
    return accept([{ type: 'SessionCancelled', data: { sessionId, cause } }], { sessionId });
  }
  if (session.withdrawn !== null) return accept([], { sessionId });
  const { agentId } = session;
  return accept([{ type: 'SessionStopRequested', data: { sessionId, agentId, cause, exitCode: null } }], { sessionId });
}

/** Not more per commit, and not more distinct shapes tried per wake, than this. */
const MOST_PLACED = 128;
const MOST_SHAPES = 64;

/**
 * Goes down the waiting line once. The first that does not fit is its head from then on: it, and nobody else, reserves the
 * agent nearest to fitting it. Equal shapes share one answer. What is placed here is only supposed in the index, since the
 * state is only read.
 */
export function decideWaiting(state: ZoneState): Decision<ZoneFact> {
  const facts: ZoneFact[] = [];
  const { index } = placementAids(state);
  const refusedShapes = new Set<string>();
  let reservation: Reservation | null = null;
  for (const session of state.line) {
    if (facts.length >= MOST_PLACED || refusedShapes.size >= MOST_SHAPES) break;
    const shape = shapeOfWaiting(session);
    if (refusedShapes.has(shape)) continue;
    const { sessionId, image, pinnedAgentId } = session;
    const request = { needs: image, pinnedAgentId };
    const [best] = index.best(request, reservation, 1);
    if (best === undefined) {
      if (refusedShapes.size === 0) reservation = index.reserve(request);
      refusedShapes.add(shape);
      continue;
    }
    const { agentId, claim } = placementOn(best.agent, request);
    facts.push({ type: 'SessionPlaced', data: { sessionId, agentId, claim } });
    index.suppose(withClaim(best.agent, sessionId, claim));
  }
  return accept(facts, {});
}

/** The agent kept for the head of the line, unless the new request goes before it. */
function reservationAhead({ line }: ZoneState, index: PlacementIndex, priority: number): Reservation | null {
  const [head] = line;
  if (head === undefined || priority > head.priority) return null;
  return index.reserve({ needs: head.image, pinnedAgentId: head.pinnedAgentId });
}

function withClaim(agent: AgentState, sessionId: string, claim: Claim): AgentState {
  const gpus = new Map(agent.allocated.gpus);
  for (const uuid of claim.gpuUuids) gpus.set(uuid, sessionId);
  const millicores = agent.allocated.millicores + claim.millicores;
  const memoryBytes = agent.allocated.memoryBytes + claim.memoryBytes;
  const sessions = new Set(agent.sessions).add(sessionId);
  return { ...agent, sessions, allocated: { millicores, memoryBytes, gpus } };
}
