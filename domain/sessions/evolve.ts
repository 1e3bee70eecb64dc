import type { z } from 'zod';
import type { At } from '../decision.ts';
import type { EndCause } from '../endCauses.ts';
import type { ZoneState } from '../zone/state.ts';
import type { sessionEvents } from './events.ts';
import type { HeldSession, WaitingSession } from './state.ts';

export type SessionFact = {
  [Type in keyof typeof sessionEvents]: { readonly type: Type; readonly data: z.infer<(typeof sessionEvents)[Type]> };
}[keyof typeof sessionEvents];

/** What a session's event means for the zone: its phase, its place in the line, and the claim on its agent. */
export function evolveSession(zone: ZoneState, event: SessionFact, at: At): void {
  switch (event.type) {
    case 'SessionRequested':
      request(zone, event.data, at);
      return;
    case 'SessionWaiting':
      // A new head may reserve another agent, which gives the one kept so far to those behind.
      if (zone.line.length > 1 && zone.line[0]?.sessionId === event.data.sessionId) zone.chances += 1;
      return;
    case 'SessionPlaced':
      place(zone, event.data, at);
      return;
    case 'SessionRefused':
    case 'SessionCancelled':
      leaveLine(zone, event.data.sessionId);
      zone.sessions.delete(event.data.sessionId);
      zone.chances += 1;
      return;
    case 'SessionStarting':
      progress(zone, event.data.sessionId, 'starting', at);
      return;
    case 'SessionStarted':
      progress(zone, event.data.sessionId, 'running', at);
      return;
    case 'SessionStartFailed':
      withdraw(zone, event.data.sessionId, 'START_FAILED', null, at);
      return;
    case 'SessionStopRequested':
      withdraw(zone, event.data.sessionId, event.data.cause, event.data.exitCode, at);
      return;
    case 'SessionEnded':
      release(zone, event.data.sessionId);
      return;
  }
}

function request(zone: ZoneState, data: z.infer<(typeof sessionEvents)['SessionRequested']>, at: At): void {
  const session: WaitingSession = {
    sessionId: data.sessionId,
    image: data.image,
    priority: data.priority,
    order: zone.nextOrder,
    pinnedAgentId: data.agentId,
    phase: 'waiting',
    since: at.version,
    waitUntil: data.maxWaitSeconds === null ? null : addSeconds(at.time, data.maxWaitSeconds),
  };
  zone.nextOrder += 1;
  zone.sessions.set(session.sessionId, session);
  joinLine(zone.line, session);
}

/** Keeps the line sorted: behind everybody of the same or a higher priority. */
function joinLine(line: WaitingSession[], session: WaitingSession): void {
  let low = 0;
  let high = line.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((line[middle]?.priority ?? -Infinity) >= session.priority) low = middle + 1;
    else high = middle;
  }
  line.splice(low, 0, session);
}

function leaveLine(zone: ZoneState, sessionId: string): void {
  const index = zone.line.findIndex((session) => session.sessionId === sessionId);
  if (index >= 0) zone.line.splice(index, 1);
}

function place(zone: ZoneState, data: z.infer<(typeof sessionEvents)['SessionPlaced']>, at: At): void {
  const session = zone.sessions.get(data.sessionId);
  const agent = zone.agents.get(data.agentId);
  if (session === undefined || agent === undefined) return;
  leaveLine(zone, data.sessionId);
  // One that had waited was placed from the line, at most so many per commit: there may be more to place.
  if (session.phase === 'waiting' && session.since < at.version) zone.chances += 1;
  // One that went before the head took what it liked, so that the head may reserve another agent from now on.
  if (session.priority > (zone.line[0]?.priority ?? Infinity)) zone.chances += 1;
  const { sessionId, image, priority, order, pinnedAgentId } = session;
  const { agentId, claim } = data;
  zone.sessions.set(sessionId, {
    sessionId,
    image,
    priority,
    order,
    pinnedAgentId,
    agentId,
    claim,
    phase: 'placed',
    withdrawn: null,
  });
  zone.unstarted.set(sessionId, at.time);
  agent.sessions.add(sessionId);
  agent.allocated.millicores += claim.millicores;
  agent.allocated.memoryBytes += claim.memoryBytes;
  for (const uuid of claim.gpuUuids) agent.allocated.gpus.set(uuid, sessionId);
  agent.desiredVersion = at.version;
}

function progress(zone: ZoneState, sessionId: string, phase: 'starting' | 'running', at: At): void {
  const held = heldSession(zone, sessionId);
  if (held === null) return;
  zone.sessions.set(sessionId, { ...held, phase });
  if (phase !== 'running') return;
  zone.unstarted.delete(sessionId);
  // `mayCreate` turns false once a session was seen started, so its agent's document changes.
  changeDesired(zone, held.agentId, at);
}

function withdraw(zone: ZoneState, sessionId: string, cause: EndCause, exitCode: number | null, at: At): void {
  const held = heldSession(zone, sessionId);
  if (held === null) return;
  zone.unstarted.delete(sessionId);
  zone.sessions.set(sessionId, { ...held, phase: 'stopping', withdrawn: { version: at.version, cause, exitCode } });
  changeDesired(zone, held.agentId, at);
}

/** The one place where a claim ends: by evidence of its session's end, or with its agent when that is declared lost. */
export function release(zone: ZoneState, sessionId: string): void {
  const held = heldSession(zone, sessionId);
  if (held === null) return;
  zone.sessions.delete(sessionId);
  zone.unstarted.delete(sessionId);
  zone.chances += 1;
  const agent = zone.agents.get(held.agentId);
  if (agent === undefined) return;
  agent.sessions.delete(sessionId);
  agent.allocated.millicores -= held.claim.millicores;
  agent.allocated.memoryBytes -= held.claim.memoryBytes;
  for (const uuid of held.claim.gpuUuids) agent.allocated.gpus.delete(uuid);
}

function heldSession(zone: ZoneState, sessionId: string): HeldSession | null {
  const session = zone.sessions.get(sessionId);
  return session === undefined || session.phase === 'waiting' ? null : session;
}

function changeDesired(zone: ZoneState, agentId: string, at: At): void {
  const agent = zone.agents.get(agentId);
  if (agent !== undefined) agent.desiredVersion = at.version;
}

function addSeconds(time: string, seconds: number): string {
  return new Date(Date.parse(time) + seconds * 1000).toISOString();
}
