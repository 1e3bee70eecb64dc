import type { AgentView, ImageView, SessionView, ZoneCondition, ZoneSummary } from '../../projections/views.ts';

/** What the live stream sends first: everything. `serverTime` is ISO 8601. */
export interface LiveSnapshot {
  readonly agents: readonly AgentView[];
  readonly sessions: readonly SessionView[];
  readonly images: readonly ImageView[];
  readonly zones: readonly ZoneSummary[];
  readonly serverTime: string;
}

/** What it sends afterwards: whole rows that changed. */
export interface LivePatch {
  readonly agents?: readonly AgentView[];
  readonly sessions?: readonly SessionView[];
  readonly images?: readonly ImageView[];
  readonly removedImages?: readonly string[];
  readonly zones?: readonly ZoneSummary[];
  readonly serverTime: string;
}

/** The whole fleet as this page knows it. Never changed in place. */
export interface Fleet {
  readonly agents: ReadonlyMap<string, AgentView>;
  readonly sessions: ReadonlyMap<string, SessionView>;
  readonly images: ReadonlyMap<string, ImageView>;
  readonly zones: ReadonlyMap<string, ZoneSummary>;
  /** Server time minus this machine's, so that ages are right on a machine whose clock is wrong. */
  readonly clockOffsetMs: number;
  /** Counts changes that can alter a placement, so that a plan on screen knows when to ask again. */
  readonly placementMark: number;
}

export function fleetFromSnapshot(snapshot: LiveSnapshot, nowMs: number): Fleet {
  return {
    agents: new Map(snapshot.agents.map((agent) => [agent.agentId, agent])),
    sessions: new Map(snapshot.sessions.map((session) => [session.sessionId, session])),
    images: new Map(snapshot.images.map((image) => [image.imageId, image])),
    zones: new Map(snapshot.zones.map((zone) => [zone.zone, zone])),
    clockOffsetMs: Date.parse(snapshot.serverTime) - nowMs,
    placementMark: 0,
  };
}

export function applyPatch(fleet: Fleet, patch: LivePatch, nowMs: number): Fleet {
  const agents = merged(fleet.agents, patch.agents, (agent) => agent.agentId);
  const images = merged(fleet.images, patch.images, (image) => image.imageId);
  const moved = (patch.agents ?? []).some((agent) => {
    const before = fleet.agents.get(agent.agentId);
    return before === undefined || placementKey(before) !== placementKey(agent);
  });
  const removed = new Set(patch.removedImages ?? []);
  return {
    agents,
    sessions: merged(fleet.sessions, patch.sessions, (session) => session.sessionId),
    images: removed.size === 0 ? images : new Map([...images].filter(([imageId]) => !removed.has(imageId))),
    zones: merged(fleet.zones, patch.zones, (zone) => zone.zone),
    clockOffsetMs: Date.parse(patch.serverTime) - nowMs,
    placementMark: fleet.placementMark + (moved || patch.images !== undefined ? 1 : 0),
  };
}

/** The server's time now, in milliseconds. */
export function serverNow(fleet: Fleet, nowMs: number): number {
  return nowMs + fleet.clockOffsetMs;
}

/** Trouble and work to do first (pending), then by name, so that rows keep their place as numbers change. */
export function agentsInOrder(fleet: Fleet): readonly AgentView[] {
  return [...fleet.agents.values()].toSorted(
    (a, b) =>
      Number(b.intent === 'pending') - Number(a.intent === 'pending') ||
      a.hostname.localeCompare(b.hostname, 'en', { numeric: true }) ||
      a.agentId.localeCompare(b.agentId),
  );
}

export function imagesInOrder(fleet: Fleet): readonly ImageView[] {
  return [...fleet.images.values()].toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** What is wrong with a zone as a whole; `place` names the zone where there are several. */
export function zoneTroubles({ zones }: Fleet): readonly (ZoneCondition & { readonly place: string })[] {
  return [...zones.values()].flatMap(({ zone, conditions }) =>
    conditions.map((condition) => ({ ...condition, place: zones.size === 1 ? '' : `Zone ${zone}: ` })),
  );
}

const OVER: ReadonlySet<SessionView['phase']> = new Set(['ended', 'refused', 'cancelled']);

export function isOver(session: SessionView): boolean {
  return OVER.has(session.phase);
}

/** Newest first: those that hold or want something, and those that are over. */
export function sessionsInOrder(fleet: Fleet): {
  readonly live: readonly SessionView[];
  readonly over: readonly SessionView[];
} {
  const all = [...fleet.sessions.values()];
  return {
    live: all.filter((session) => !isOver(session)).toSorted(newestBy((session) => session.requestedAt)),
    over: all.filter(isOver).toSorted(newestBy((session) => session.endedAt ?? session.requestedAt)),
  };
}

function newestBy(timeOf: (session: SessionView) => string): (a: SessionView, b: SessionView) => number {
  return (a, b) => timeOf(b).localeCompare(timeOf(a)) || a.sessionId.localeCompare(b.sessionId);
}

/** What placement looks at, so that a check-in that only measures asks nothing again. */
function placementKey(agent: AgentView): string {
  const { connectivity, intent, conditions, capacity, allocated, gpuCounts, zone } = agent;
  return JSON.stringify([connectivity, intent, conditions, capacity, allocated, gpuCounts, zone]);
}

function merged<T>(
  rows: ReadonlyMap<string, T>,
  changed: readonly T[] | undefined,
  keyOf: (row: T) => string,
): ReadonlyMap<string, T> {
  if (changed === undefined || changed.length === 0) return rows;
  return new Map([...rows, ...changed.map((row) => [keyOf(row), row] as const)]);
}
