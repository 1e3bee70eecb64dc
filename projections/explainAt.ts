import { RULES_VERSION, type Commit } from '../domain/commit.ts';
import { isZoneEvent, type ZoneEvent } from '../domain/events.ts';
import { explain } from '../domain/placement/explain.ts';
import type { Explanation } from '../domain/placement/explanation.ts';
import { place, reserve } from '../domain/placement/place.ts';
import { evolveZone } from '../domain/zone/evolve.ts';
import { initialZone, type ZoneState } from '../domain/zone/state.ts';

/**
 * Why a session went where it went, computed again from the log: the state just before its last placement decision, and
 * the same rules, asked of every agent. Reads the log from its beginning; null when the log has no decision about the session.
 */
export async function explainAt(commits: AsyncIterable<Commit>, sessionId: string): Promise<Explanation | null> {
  const state = initialZone();
  let found: Explanation | null = null;
  for await (const commit of commits) {
    const at = { version: commit.version, time: commit.at };
    for (const event of commit.events) {
      if (!isZoneEvent(event)) continue;
      const decision = decisionOf(event, sessionId);
      if (decision !== null) {
        const explained = explainIn(state, sessionId, decision);
        const sameRules = explained === null || commit.rulesVersion === RULES_VERSION;
        found = sameRules ? explained : { ...explained, otherRules: commit.rulesVersion };
      }
      evolveZone(state, event, at);
    }
    if (found !== null && found.decision !== 'waiting') return found;
  }
  return found;
}

function decisionOf(event: ZoneEvent, sessionId: string): Explanation['decision'] | null {
  if (!('sessionId' in event.data) || event.data.sessionId !== sessionId) return null;
  return DECISIONS.get(event.type) ?? null;
}

const DECISIONS: ReadonlyMap<string, Explanation['decision']> = new Map([
  ['SessionPlaced', 'placed'],
  ['SessionWaiting', 'waiting'],
  ['SessionRefused', 'refused'],
]);

/** The session stands in the line already, so those before it are the ones an agent may be reserved for. */
function explainIn(state: ZoneState, sessionId: string, decision: Explanation['decision']): Explanation | null {
  const session = state.sessions.get(sessionId);
  if (session === undefined) return null;
  const request = { needs: session.image, pinnedAgentId: session.pinnedAgentId };
  const [head] = state.line;
  const behind = head !== undefined && head.sessionId !== sessionId;
  const ahead = behind ? { needs: head.image, pinnedAgentId: head.pinnedAgentId } : null;
  const reservation = ahead === null ? null : reserve(state.agents.values(), ahead);
  const placement = place(state.agents.values(), request, reservation);
  return explain(state.agents.values(), { sessions: state.sessions, request, reservation }, placement, decision);
}
