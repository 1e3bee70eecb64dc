import type { Commit } from '../domain/commit.ts';
import { isZoneEvent, type ZoneEvent } from '../domain/events.ts';
import { evolveZone } from '../domain/zone/evolve.ts';
import { initialZone, type ZoneState } from '../domain/zone/state.ts';
import {
  applyToSession,
  isSessionFact,
  lostWithItsAgent,
  newSessionRecord,
  type SessionRecord,
} from './sessionRecord.ts';

/** How many sessions that are over stay listed; the log keeps all of them. */
export const ENDED_KEPT = 200;

/**
 * Everything shown of one zone, folded from its acknowledged commits: the zone's state, and per session what only people
 * need (who asked, when, why it ended). Memory is bounded by the fleet, not by its past. `touched` collects what changed
 * since it was last emptied, for the live views.
 */
export interface ZoneProjection {
  readonly zone: string;
  readonly log: string;
  readonly state: ZoneState;
  /** Live sessions, and in order of their end the last ones that are over. */
  readonly sessions: Map<string, SessionRecord>;
  readonly ended: string[];
  readonly touched: { readonly agents: Set<string>; readonly sessions: Set<string> };
  logId: string | null;
  version: number;
}

export function emptyZoneProjection(zone: string, log: string): ZoneProjection {
  return {
    zone,
    log,
    state: initialZone(),
    sessions: new Map(),
    ended: [],
    touched: { agents: new Set(), sessions: new Set() },
    logId: null,
    version: 0,
  };
}

export function applyZoneCommit(projection: ZoneProjection, commit: Commit): void {
  const at = { version: commit.version, time: commit.at };
  for (const event of commit.events) {
    if (!isZoneEvent(event)) continue;
    touchHeld(projection, event);
    if (event.type === 'AgentDeclaredLost') endWithAgent(projection, event, commit.version);
    evolveZone(projection.state, event, at);
    touch(projection, event);
    if ('sessionId' in event.data) applySession(projection, event, event.data.sessionId, commit.version);
  }
  projection.logId = commit.logId;
  projection.version = commit.version;
}

function touch({ touched }: ZoneProjection, { data }: ZoneEvent): void {
  if ('agentId' in data && data.agentId !== null) touched.agents.add(data.agentId);
  if ('sessionId' in data) touched.sessions.add(data.sessionId);
}

/** An agent that goes missing, is given up or comes back changes how its sessions are shown. */
function touchHeld({ state, touched }: ZoneProjection, { type, data }: ZoneEvent): void {
  if (type !== 'AgentWentMissing' && type !== 'AgentDeclaredLost' && type !== 'AgentReturned') return;
  for (const sessionId of state.agents.get(data.agentId)?.sessions ?? []) touched.sessions.add(sessionId);
}

/** Before the state lets go of them: the event names the agent alone, and the state still knows what it held. */
function endWithAgent(
  projection: ZoneProjection,
  { data, occurredAt }: Extract<ZoneEvent, { type: 'AgentDeclaredLost' }>,
  version: number,
): void {
  const { state, sessions, log } = projection;
  for (const sessionId of state.agents.get(data.agentId)?.sessions ?? []) {
    const record = sessions.get(sessionId);
    if (record === undefined) continue;
    sessions.set(sessionId, lostWithItsAgent(record, occurredAt, { log, version }));
    keepEnded(projection, sessionId);
  }
}

function applySession(projection: ZoneProjection, event: ZoneEvent, sessionId: string, version: number): void {
  const { sessions, log, zone } = projection;
  if (event.type === 'SessionRequested') sessions.set(sessionId, newSessionRecord(event, zone, version));
  const record = sessions.get(sessionId);
  if (record === undefined || !isSessionFact(event)) return;
  const wasOver = record.endedAt !== null;
  const changed = applyToSession(record, event, event.occurredAt, { log, version });
  sessions.set(sessionId, changed);
  if (!wasOver && changed.endedAt !== null) keepEnded(projection, sessionId);
}

/** Lists it among the last that are over, and forgets the oldest of them. */
function keepEnded({ sessions, ended }: ZoneProjection, sessionId: string): void {
  ended.push(sessionId);
  const oldest = ended.length > ENDED_KEPT ? ended.shift() : undefined;
  if (oldest !== undefined) sessions.delete(oldest);
}
