import type { DesiredDocument, DesiredSession } from '../domain/desired.ts';
import type { ZoneState } from '../domain/zone/state.ts';

/**
 * The placement read model: what should run on one agent, as its zone's log says. A session is in it from its placement
 * until it is withdrawn; sorted, so that equal wishes are equal documents. Null for an agent that is not in the zone, and
 * for one that knows more than the log does: to what a backup lacks, the log's wish would be an end.
 */
export function desiredDocumentOf(zone: ZoneState, agentId: string, logId: string): DesiredDocument | null {
  const agent = zone.agents.get(agentId);
  if (agent === undefined || agent.conditions.has('LOG_REWOUND')) return null;
  const sessions: DesiredSession[] = [];
  for (const sessionId of [...agent.sessions].toSorted()) {
    const session = zone.sessions.get(sessionId);
    if (session === undefined || session.phase === 'waiting' || session.withdrawn !== null) continue;
    const { image, claim, phase } = session;
    sessions.push({ sessionId, image, gpuUuids: claim.gpuUuids, mayCreate: phase !== 'running' });
  }
  const { desiredVersion: version, pruneMode, pruneMark } = agent;
  return { schemaVersion: 1, agentId, logId, version, pruneMode, pruneMark, sessions };
}
