import type { ImageNeeds } from '../../../domain/images/image.ts';
import type { AgentView, ImageView, SessionView } from '../../../projections/views.ts';
import type { LogName } from '../../../infra/log/port.ts';
import type { Core } from '../../core/core.ts';
import { agentShown, sessionShown } from '../../core/queries.ts';
import type { Zone } from '../../core/zone.ts';
import { notFound, problemOf, type HttpProblem } from '../problem.ts';

/** Lookups that end in a problem when there is no such thing. */

export function agentOr404(core: Core, agentId: string): AgentView {
  const agent = agentShown(core, agentId);
  if (agent === null) throw notFound('AGENT_UNKNOWN', `no agent "${agentId}" has checked in`);
  return agent;
}

/** The zone of an agent that has been approved and has joined it. */
export function zoneOfAgent(core: Core, agentId: string): Zone {
  const { revokedAt, zone } = agentOr404(core, agentId);
  if (zone !== '') return zoneOr404(core, zone);
  if (revokedAt === null) {
    throw problemOf({ code: 'AGENT_NOT_APPROVED', message: `${agentId} waits for approval; approve it first` });
  }
  throw revoked(agentId);
}

/** The log of an agent's zone; null while it is in none. */
export function logOfAgent(core: Core, zone: string): LogName | null {
  return core.zones.get(zone)?.projection.log ?? null;
}

/** A revoked agent takes nothing new, whoever would like it to. */
export function requireNotRevoked(core: Core, agentId: string): void {
  if (agentOr404(core, agentId).revokedAt !== null) throw revoked(agentId);
}

function revoked(agentId: string): HttpProblem {
  return problemOf({ code: 'AGENT_REVOKED', message: `${agentId} was revoked; it is not heard any more` });
}

export function zoneOr404(core: Core, zoneId: string): Zone {
  const zone = core.zones.get(zoneId);
  if (zone === undefined) throw notFound('ZONE_UNKNOWN', `there is no zone "${zoneId}"`);
  return zone;
}

export function imageOr404(core: Core, imageId: string): ImageView {
  const image = core.fleetProjection.images.get(imageId);
  if (image === undefined) throw notFound('IMAGE_UNKNOWN', `no image "${imageId}" is defined`);
  return image;
}

export function sessionOr404(core: Core, sessionId: string): SessionView {
  const session = sessionShown(core, sessionId);
  if (session !== null) return session;
  throw notFound('SESSION_UNKNOWN', `no session "${sessionId}" is live or among the last that ended`);
}

/** What a session of an image needs, at its newest revision: a definition without its name. */
export function needsOf(core: Core, imageId: string): ImageNeeds {
  const { name: _, position: __, ...needs } = imageOr404(core, imageId);
  return needs;
}
