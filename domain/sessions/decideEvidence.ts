import type { AgentState } from '../agents/state.ts';
import type { CheckIn, ObservedSession } from '../checkIn.ts';
import type { ZoneFact } from '../events.ts';
import type { ZoneState } from '../zone/state.ts';
import type { HeldSession } from './state.ts';

/**
 * What a check-in proves about the sessions placed on its agent. With the engine down nothing is proven: an absent
 * container may be running. A claim ends here and nowhere else: the agent has applied the version that withdrew the
 * session and shows its container exited or absent.
 */
export function decideEvidence(state: ZoneState, agent: AgentState, checkIn: CheckIn): ZoneFact[] {
  if (checkIn.engine.status === 'down') return [];
  const observed = new Map(checkIn.sessions.map((session) => [session.sessionId, session]));
  const facts: ZoneFact[] = [];
  for (const sessionId of agent.sessions) {
    const session = state.sessions.get(sessionId);
    if (session === undefined || session.phase === 'waiting') continue;
    facts.push(...evidenceFor(session, observed.get(sessionId) ?? null, checkIn.appliedVersion));
  }
  return facts;
}

function evidenceFor(session: HeldSession, seen: ObservedSession | null, appliedVersion: number): ZoneFact[] {
  if (session.withdrawn !== null) return ending(session, session.withdrawn, seen, appliedVersion);
  if (seen === null) return [];
  const { sessionId, agentId } = session;
  switch (seen.status) {
    case 'pulling':
    case 'starting':
      return session.phase === 'placed' ? [{ type: 'SessionStarting', data: { sessionId, agentId } }] : [];
    case 'running':
    case 'paused':
      return started(session, seen);
    case 'failed':
      return [{ type: 'SessionStartFailed', data: { sessionId, agentId, ...failureOf(seen) } }];
    case 'exited':
      return [
        {
          type: 'SessionStopRequested',
          data: { sessionId, agentId, cause: seen.oomKilled ? 'OOM_KILLED' : 'EXITED', exitCode: seen.exitCode },
        },
      ];
    case 'gone':
      return [
        {
          type: 'SessionStopRequested',
          data: { sessionId, agentId, cause: 'CONTAINER_GONE', exitCode: seen.exitCode },
        },
      ];
  }
}

function started(session: HeldSession, seen: ObservedSession): ZoneFact[] {
  if (session.phase === 'running') return [];
  const { sessionId, agentId } = session;
  const { containerId, imageDigest, endpoints } = seen;
  const data = { sessionId, agentId, containerId: containerId ?? '', imageDigest: imageDigest ?? null, endpoints };
  return [{ type: 'SessionStarted', data }];
}

/** `gone` and `failed` are absent containers; anything else that is not exited may still run. */
function ending(
  { sessionId, agentId }: HeldSession,
  withdrawn: NonNullable<HeldSession['withdrawn']>,
  seen: ObservedSession | null,
  appliedVersion: number,
): ZoneFact[] {
  if (appliedVersion < withdrawn.version) return [];
  const over = seen === null || seen.status === 'exited' || seen.status === 'gone' || seen.status === 'failed';
  if (!over) return [];
  const exitCode = seen?.exitCode ?? withdrawn.exitCode;
  return [{ type: 'SessionEnded', data: { sessionId, agentId, cause: withdrawn.cause, exitCode } }];
}

function failureOf({ failure }: ObservedSession) {
  return failure ?? { code: 'CONTAINER_START_FAILED', detail: 'the agent gave no detail' };
}
