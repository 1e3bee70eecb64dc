import type { AgentState } from '../agents/state.ts';
import { accept, reject, type Decision } from '../decision.ts';
import type { ZoneFact } from '../events.ts';
import { explain, isHopeless, summarize } from '../placement/explain.ts';
import { place, reserve, type Placement, type Reservation } from '../placement/place.ts';
import type { PlacementRequest } from '../placement/rule.ts';
import type { Explanation } from '../placement/explanation.ts';
import type { RequestSession, ZoneCommand } from '../zone/commands.ts';
import { LINE_LIMIT, type ZoneState } from '../zone/state.ts';

/**
 * Places the session at once, or puts it in the line, or refuses it, as it asks; the request, the decision and the claim
 * are one step. A request that every agent would refuse for ever is refused also when it would wait.
 * The answer's `detail` is the whole Explanation.
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
  const request = { needs: image, pinnedAgentId: agentId };
  const reservation = reservationAhead(state, priority);
  const agents = state.agents.values();
  const placement = place(agents, request, reservation);
  const question = { agents: state.agents.values(), sessions: state.sessions, request, reservation };
  if (placement.kind === 'placed') {
    const { claim, candidates } = placement;
    return {
      explanation: explain(question, placement, 'placed'),
      fact: { type: 'SessionPlaced', data: { sessionId, agentId: placement.agentId, claim, candidates } },
    };
  }
  const waiting = explain(question, placement, 'waiting');
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
 * agent nearest to fitting it. Equal shapes share one answer. Works on a copy of the agents it allocates to, since the
 * state is only read.
 */
export function decideWaiting(state: ZoneState): Decision<ZoneFact> {
  const facts: ZoneFact[] = [];
  const agents = new Map(state.agents);
  const refusedShapes = new Set<string>();
  let reservation: Reservation | null = null;
  for (const { sessionId, image, pinnedAgentId } of state.line) {
    if (facts.length >= MOST_PLACED || refusedShapes.size >= MOST_SHAPES) break;
    const request = { needs: image, pinnedAgentId };
    const shape = shapeOf(request);
    if (refusedShapes.has(shape)) continue;
    const placement = place(agents.values(), request, reservation);
    if (placement.kind === 'nowhere') {
      if (refusedShapes.size === 0) reservation = reserve(agents.values(), request);
      refusedShapes.add(shape);
      continue;
    }
    const { agentId, claim, candidates } = placement;
    facts.push({ type: 'SessionPlaced', data: { sessionId, agentId, claim, candidates } });
    withClaim(agents, sessionId, placement);
  }
  return accept(facts, {});
}

/** The agent kept for the head of the line, unless the new request goes before it. */
export function reservationAhead(state: ZoneState, priority: number): Reservation | null {
  const head = state.line[0];
  if (head === undefined || priority > head.priority) return null;
  return reserve(state.agents.values(), { needs: head.image, pinnedAgentId: head.pinnedAgentId });
}

function shapeOf({ needs, pinnedAgentId }: PlacementRequest): string {
  const { millicores, memoryBytes, gpu, gpuModel, gpuMemoryBytes } = needs;
  return JSON.stringify([millicores, memoryBytes, gpu, gpuModel, gpuMemoryBytes, pinnedAgentId]);
}

function withClaim(
  agents: Map<string, AgentState>,
  sessionId: string,
  { agentId, claim }: Extract<Placement, { kind: 'placed' }>,
): void {
  const agent = agents.get(agentId);
  if (agent === undefined) return;
  const gpus = new Map(agent.allocated.gpus);
  for (const uuid of claim.gpuUuids) gpus.set(uuid, sessionId);
  const millicores = agent.allocated.millicores + claim.millicores;
  const memoryBytes = agent.allocated.memoryBytes + claim.memoryBytes;
  const sessions = new Set(agent.sessions).add(sessionId);
  agents.set(agentId, { ...agent, sessions, allocated: { millicores, memoryBytes, gpus } });
}
