import type { ImageNeeds } from '../../../domain/images/image.ts';
import type { AgentView, ImageView, SessionView } from '../../../projections/views.ts';
import type { Core } from '../../core/core.ts';
import { agentShown, sessionShown } from '../../core/queries.ts';
import type { Zone } from '../../core/zone.ts';
import { notFound, problemOf } from '../problem.ts';

/** Lookups that end in a problem when there is no such thing. */

export function agentOr404(core: Core, agentId: string): AgentView {
  const agent = agentShown(core, agentId);
  if (agent === null) throw notFound('AGENT_UNKNOWN', `no agent "${agentId}" has checked in`);
  return agent;
}

/** The zone of an agent that has been approved and has joined it. */
export function zoneOfAgent(core: Core, agentId: string): Zone {
  const { intent, zone } = agentOr404(core, agentId);
  if (intent === 'pending') {
    throw problemOf({ code: 'AGENT_NOT_APPROVED', message: `${agentId} waits for approval; approve it first` });
  }
  return zoneOr404(core, zone);
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
