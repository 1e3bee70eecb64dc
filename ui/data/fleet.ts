import type {
  AgentView,
  ChangeView,
  FleetTotals,
  ImageView,
  SessionView,
  ZoneCondition,
  ZoneSummary,
} from '../../projections/views.ts';
import { counted, whole } from './amounts.ts';
import { ChangeLog } from './changeLog.ts';

/** What the live stream sends first: everything, or of a large fleet the first rows. `serverTime` is ISO 8601. */
export interface LiveSnapshot {
  readonly agents: readonly AgentView[];
  readonly sessions: readonly SessionView[];
  readonly images: readonly ImageView[];
  readonly zones: readonly ZoneSummary[];
  /** How many rows come in the patches that follow at once; absent: none. */
  readonly more?: StillToCome;
  readonly totals: FleetTotals;
  /** Newest first. */
  readonly changes: readonly ChangeView[];
  readonly serverTime: string;
}

export interface StillToCome {
  readonly agents: number;
  readonly sessions: number;
}

/** What it sends afterwards: whole rows that changed, and totals and changes when they are others. */
export interface LivePatch {
  readonly agents?: readonly AgentView[];
  readonly removedAgents?: readonly string[];
  readonly sessions?: readonly SessionView[];
  readonly images?: readonly ImageView[];
  readonly removedImages?: readonly string[];
  readonly zones?: readonly ZoneSummary[];
  readonly more?: StillToCome;
  readonly totals?: FleetTotals;
  readonly changes?: readonly ChangeView[];
  readonly serverTime: string;
}

/**
 * The whole fleet as this page knows it. A patch makes a new one around the same maps, changed in place: a copy of ten
 * thousand rows for each that changed would cost more than all that is shown. Rows are never changed, only replaced.
 */
export interface Fleet {
  readonly agents: Map<string, AgentView>;
  readonly sessions: Map<string, SessionView>;
  readonly images: Map<string, ImageView>;
  readonly zones: Map<string, ZoneSummary>;
  /** Which agents came, changed or went since the snapshot. */
  readonly agentChanges: ChangeLog;
  /** Rows of the snapshot that have not arrived yet. */
  readonly more: StillToCome;
  readonly totals: FleetTotals;
  readonly changes: readonly ChangeView[];
  /** Server time minus this machine's, so that ages are right on a machine whose clock is wrong. */
  readonly clockOffsetMs: number;
  /** Counts changes that can alter a placement, so that a plan on screen knows when to ask again. */
  readonly placementMark: number;
  /** Counts patches with sessions since the snapshot, so that whoever keeps a list of them knows when to make it anew. */
  readonly sessionMark: number;
}

export function fleetFromSnapshot(snapshot: LiveSnapshot, nowMs: number): Fleet {
  return {
    agents: new Map(snapshot.agents.map((agent) => [agent.agentId, agent])),
    sessions: new Map(snapshot.sessions.map((session) => [session.sessionId, session])),
    images: new Map(snapshot.images.map((image) => [image.imageId, image])),
    zones: new Map(snapshot.zones.map((zone) => [zone.zone, zone])),
    agentChanges: new ChangeLog(),
    more: snapshot.more ?? { agents: 0, sessions: 0 },
    totals: snapshot.totals,
    changes: snapshot.changes,
    clockOffsetMs: Date.parse(snapshot.serverTime) - nowMs,
    placementMark: 0,
    sessionMark: 0,
  };
}

export function applyPatch(fleet: Fleet, patch: LivePatch, nowMs: number): Fleet {
  let moved = (patch.images ?? []).length > 0 || (patch.removedImages ?? []).length > 0;
  for (const agent of patch.agents ?? []) {
    const before = fleet.agents.get(agent.agentId);
    moved ||= before === undefined || !placesAlike(before, agent);
    fleet.agents.set(agent.agentId, agent);
    fleet.agentChanges.add(agent.agentId);
  }
  for (const agentId of patch.removedAgents ?? []) {
    moved = true;
    fleet.agents.delete(agentId);
    fleet.agentChanges.add(agentId);
  }
  for (const session of patch.sessions ?? []) fleet.sessions.set(session.sessionId, session);
  for (const image of patch.images ?? []) fleet.images.set(image.imageId, image);
  for (const imageId of patch.removedImages ?? []) fleet.images.delete(imageId);
  for (const zone of patch.zones ?? []) fleet.zones.set(zone.zone, zone);
  return {
    ...fleet,
    more: patch.more ?? fleet.more,
    totals: patch.totals ?? fleet.totals,
    changes: patch.changes ?? fleet.changes,
    clockOffsetMs: Date.parse(patch.serverTime) - nowMs,
    placementMark: fleet.placementMark + (moved ? 1 : 0),
    sessionMark: fleet.sessionMark + (patch.sessions === undefined ? 0 : 1),
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

export function imagesInOrder(fleet: Pick<Fleet, 'images'>): readonly ImageView[] {
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

/** `11 of 12 agents online, 37 sessions running, 2 waiting`. */
export function fleetSummary({ totals }: Fleet): string {
  const { connectivity, sessions } = totals;
  const agents = agentsIn(totals);
  return [
    `${whole(connectivity.online)} of ${counted(agents, 'agent', 'agents')} online`,
    `${counted(sessions.running, 'session', 'sessions')} running`,
    ...(sessions.waiting === 0 ? [] : [`${whole(sessions.waiting)} waiting`]),
  ].join(', ');
}

/** Each is counted once for how it is connected. */
function agentsIn({ connectivity }: FleetTotals): number {
  return Object.values(connectivity).reduce((sum, count) => sum + count, 0);
}

/** Whether placement sees no difference, so that a check-in that only measures asks nothing again. */
function placesAlike(a: AgentView, b: AgentView): boolean {
  return (
    a.connectivity === b.connectivity &&
    a.intent === b.intent &&
    a.zone === b.zone &&
    // Labels above all; the other settings show in what they change.
    a.settingsVersion === b.settingsVersion &&
    sameAmounts(a.capacity, b.capacity) &&
    sameAmounts(a.allocated, b.allocated) &&
    a.gpuCounts.schedulable === b.gpuCounts.schedulable &&
    a.gpuCounts.free === b.gpuCounts.free &&
    a.conditions.length === b.conditions.length &&
    a.conditions.every(({ condition }, index) => condition === b.conditions[index]?.condition)
  );
}

function sameAmounts(a: AgentView['capacity'], b: AgentView['capacity']): boolean {
  if (a === null || b === null) return a === b;
  return a.millicores === b.millicores && a.memoryBytes === b.memoryBytes && a.gpus === b.gpus;
}
