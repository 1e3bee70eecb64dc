import type { Enrolment } from '../../domain/fleet/state.ts';
import { formatPosition } from '../../domain/commit.ts';
import { agentView, pendingAgentView } from '../../projections/agentView.ts';
import { sessionView } from '../../projections/sessionRecord.ts';
import type { SessionRecord } from '../../projections/sessionRecord.ts';
import type { AgentView, ImageView, SessionView } from '../../projections/views.ts';
import type { ZoneProjection } from '../../projections/zoneProjection.ts';
import type { Core } from './core.ts';

/** What is shown, read from the projections: acknowledged state, without asking the log. */

export function agentsShown(core: Core): readonly AgentView[] {
  const enrolled = [...core.fleetProjection.state.agents.values()];
  return enrolled.map((enrolment) => shown(core, enrolment)).toSorted((a, b) => (a.agentId < b.agentId ? -1 : 1));
}

export function agentShown(core: Core, agentId: string): AgentView | null {
  const enrolment = core.fleetProjection.state.agents.get(agentId);
  return enrolment === undefined ? null : shown(core, enrolment);
}

/** An agent just approved is shown as pending until its zone's log has it: a moment. */
function shown(core: Core, enrolment: Enrolment): AgentView {
  const { agentId, zone } = enrolment;
  const heard = core.fleetProjection.heard.get(agentId) ?? null;
  const agent = zone === null ? undefined : core.zones.get(zone)?.projection.state.agents.get(agentId);
  if (agent === undefined || zone === null) return pendingAgentView(enrolment, heard);
  return agentView(agent, { ...enrolment, zone }, heard);
}

/** Live ones first, then those that are over; within each the newest first. */
export function sessionsShown(core: Core): readonly SessionView[] {
  const all = [...core.zones.values()].flatMap(({ projection }) =>
    [...projection.sessions.values()].map((record) => sessionOf(core, projection, record)),
  );
  const over = ({ endedAt }: SessionView) => (endedAt === null ? 0 : 1);
  return all.toSorted((a, b) => over(a) - over(b) || compareText(b.requestedAt, a.requestedAt));
}

export function sessionShown(core: Core, sessionId: string): SessionView | null {
  for (const { projection } of core.zones.values()) {
    const record = projection.sessions.get(sessionId);
    if (record !== undefined) return sessionOf(core, projection, record);
  }
  return null;
}

/** Of the commits in which something happened to a session; none when it is not known. */
export function sessionVersions(core: Core, sessionId: string): readonly number[] {
  for (const { projection } of core.zones.values()) {
    const record = projection.sessions.get(sessionId);
    if (record !== undefined) return record.versions;
  }
  return [];
}

function sessionOf({ fleetProjection }: Core, { state }: ZoneProjection, record: SessionRecord): SessionView {
  const heard = record.agentId === null ? undefined : fleetProjection.heard.get(record.agentId);
  return sessionView(record, state, heard?.sessions.get(record.sessionId) ?? null);
}

export function imagesShown(core: Core): readonly ImageView[] {
  return [...core.fleetProjection.images.values()].toSorted((a, b) => (a.imageId < b.imageId ? -1 : 1));
}

/** The moment that is shown, as a position in every log: `{ fleet: 'fleet:3', 'zone-default': 'zone-default:17' }`. */
export function positionsShown(core: Core): Readonly<Record<string, string>> {
  const projections = [core.fleetProjection, ...[...core.zones.values()].map(({ projection }) => projection)];
  return Object.fromEntries(projections.map(({ log, version }) => [log, formatPosition(log, version)]));
}

/** Where the default zone's log stands in what is shown. */
export function zonePosition(core: Core, zone = 'default'): string {
  const projection = core.zones.get(zone)?.projection;
  return projection === undefined ? '' : formatPosition(projection.log, projection.version);
}

export function fleetPosition({ fleetProjection }: Core): string {
  return formatPosition(fleetProjection.log, fleetProjection.version);
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
