import { formatPosition, type Commit } from '../domain/commit.ts';
import type { CheckIn } from '../domain/checkIn.ts';
import { isFleetEvent, type FleetEvent } from '../domain/events.ts';
import { evolveFleet } from '../domain/fleet/evolve.ts';
import { initialFleet, type FleetState } from '../domain/fleet/state.ts';
import type { Heard } from './agentView.ts';
import { changedTelemetry, telemetryOf, type TelemetryOfSessions } from './sessionTelemetry.ts';
import type { ImageView } from './views.ts';

/** What the newest check-in tells of sessions is found by session. */
interface HeardWithSessions extends Heard {
  readonly sessions: TelemetryOfSessions;
}

/** Everything shown that is fleet-wide: images, who may join, and the newest check-in of every agent. */
export interface FleetProjection {
  readonly log: string;
  readonly state: FleetState;
  readonly images: Map<string, ImageView>;
  /** Bounded by the fleet: agents enrolled, joined or pending. */
  readonly heard: Map<string, HeardWithSessions>;
  readonly touched: { readonly agents: Set<string>; readonly images: Set<string> };
  logId: string | null;
  version: number;
}

export function emptyFleetProjection(log: string): FleetProjection {
  return {
    log,
    state: initialFleet(),
    images: new Map(),
    heard: new Map(),
    touched: { agents: new Set(), images: new Set() },
    logId: null,
    version: 0,
  };
}

export function applyFleetCommit(projection: FleetProjection, commit: Commit): void {
  const at = { version: commit.version, time: commit.at };
  for (const event of commit.events) {
    if (!isFleetEvent(event)) continue;
    evolveFleet(projection.state, event, at);
    if (event.type === 'AgentRemoved') projection.heard.delete(event.data.agentId);
    applyImage(projection, event, formatPosition(projection.log, commit.version));
    if ('agentId' in event.data) projection.touched.agents.add(event.data.agentId);
  }
  projection.logId = commit.logId;
  projection.version = commit.version;
}

/**
 * Keeps the newest check-in of an enrolled agent. One that nobody enrolled is not kept: memory is bounded by the fleet.
 * Returns the sessions of which it tells something else than the one before.
 */
export function applyCheckIn(projection: FleetProjection, checkIn: CheckIn, receivedAt: string): readonly string[] {
  const { agentId } = checkIn;
  if (!projection.state.agents.has(agentId)) return [];
  const sessions = telemetryOf(checkIn);
  const before = projection.heard.get(agentId)?.sessions ?? sessions;
  projection.heard.set(agentId, { checkIn, receivedAt, sessions });
  projection.touched.agents.add(agentId);
  return changedTelemetry(before, sessions);
}

function applyImage({ images, touched }: FleetProjection, event: FleetEvent, position: string): void {
  switch (event.type) {
    case 'ImageDefined':
    case 'ImageRevised':
      images.set(event.data.image.imageId, { ...event.data.image, position });
      touched.images.add(event.data.image.imageId);
      return;
    case 'ImageRetired':
      images.delete(event.data.imageId);
      touched.images.add(event.data.imageId);
      return;
    case 'ZoneCreated':
    case 'AgentEnrolled':
    case 'AgentApproved':
    case 'AgentRevoked':
    case 'AgentRemoved':
    case 'ConnectionsRejected':
    case 'PersonCreated':
    case 'PersonRoleChanged':
    case 'PersonRemoved':
    case 'AccessKeyIssued':
    case 'AccessKeyRevoked':
    case 'ManagerTokenIssued':
    case 'ManagerTokenRevoked':
    case 'LogSealed':
      return;
  }
}
