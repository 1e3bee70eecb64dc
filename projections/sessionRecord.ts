import { formatPosition } from '../domain/commit.ts';
import { END_CAUSES } from '../domain/endCauses.ts';
import type { ZoneEvent, ZoneFact } from '../domain/events.ts';
import { sessionEvents, type RefusalSummary } from '../domain/sessions/events.ts';
import type { SessionFact } from '../domain/sessions/evolve.ts';
import type { ZoneState } from '../domain/zone/state.ts';
import { pullText, type SessionTelemetry } from './sessionTelemetry.ts';
import type { SessionPhase, SessionView } from './views.ts';

/** A session's view without what its agent's connectivity and check-ins tell: that is added when it is read. */
export type SessionRecord = Omit<SessionView, 'sentence' | 'pull' | 'health'> & {
  readonly failure: string | null;
  /** Of the commits in which something happened to it, oldest first: where its events are found. */
  readonly versions: readonly number[];
};

/** A session that was replaced in the line again and again keeps where it began and what came last. */
const VERSIONS_KEPT = 32;

export function newSessionRecord(
  { data, actor, occurredAt }: Extract<ZoneEvent, { type: 'SessionRequested' }>,
  zone: string,
  version: number,
): SessionRecord {
  return {
    sessionId: data.sessionId,
    zone,
    imageId: data.image.imageId,
    imageRevision: data.image.revision,
    phase: 'waiting',
    agentId: null,
    claim: null,
    imageDigest: data.image.digest,
    endpoints: [],
    priority: data.priority,
    requestedBy: actor,
    requestedAt: occurredAt,
    startedAt: null,
    endedAt: null,
    cause: null,
    exitCode: null,
    refusal: null,
    failure: null,
    versions: [version],
    position: '',
  };
}

/** Which commit an event stands in. */
export interface Place {
  readonly log: string;
  readonly version: number;
}

/** The record after one event of its session. */
export function applyToSession(record: SessionRecord, fact: SessionFact, at: string, place: Place): SessionRecord {
  return { ...record, ...changeBy(fact, at), ...placed(record, place) };
}

/** The record of one that ended because its agent was declared lost: no event of its own says so. */
export function lostWithItsAgent(record: SessionRecord, at: string, place: Place): SessionRecord {
  const ended = { phase: 'ended', cause: 'AGENT_LOST', endedAt: at, claim: null, endpoints: [] } as const;
  return { ...record, ...ended, ...placed(record, place) };
}

function placed({ versions }: SessionRecord, { log, version }: Place): Pick<SessionRecord, 'versions' | 'position'> {
  const position = formatPosition(log, version);
  if (versions.at(-1) === version) return { versions, position };
  const [first = version, ...rest] = versions;
  return { versions: [first, ...rest.slice(-(VERSIONS_KEPT - 2)), version], position };
}

export function isSessionFact(event: ZoneFact): event is SessionFact {
  return Object.hasOwn(sessionEvents, event.type);
}

function changeBy(event: SessionFact, at: string): Partial<SessionRecord> {
  switch (event.type) {
    case 'SessionWaiting':
      return { phase: 'waiting', refusal: event.data.refusal };
    case 'SessionPlaced':
      return { phase: 'placed', agentId: event.data.agentId, claim: event.data.claim, refusal: null };
    case 'SessionRefused':
      return { phase: 'refused', refusal: event.data.refusal, endedAt: at };
    case 'SessionCancelled':
      return { phase: 'cancelled', cause: event.data.cause, endedAt: at };
    case 'SessionStarting':
      return { phase: 'starting' };
    case 'SessionStarted':
      return { phase: 'running', startedAt: at, endpoints: event.data.endpoints, ...digestOf(event.data) };
    case 'SessionStartFailed':
      return { phase: 'stopping', cause: 'START_FAILED', failure: event.data.detail };
    case 'SessionStopRequested':
      return { phase: 'stopping', cause: event.data.cause, exitCode: event.data.exitCode };
    case 'SessionEnded': {
      const { cause, exitCode } = event.data;
      return { phase: 'ended', cause, exitCode, endedAt: at, claim: null, endpoints: [] };
    }
    case 'SessionRequested':
      return {};
  }
}

/** An agent that does not tell takes nothing back of what the request names. */
function digestOf({ imageDigest }: { readonly imageDigest: string | null }): Partial<SessionRecord> {
  return imageDigest === null ? {} : { imageDigest };
}

/** As it is shown: `unknown` while its agent is missing, which is derived and never recorded. */
export function sessionView(record: SessionRecord, zone: ZoneState, telemetry: SessionTelemetry | null): SessionView {
  const { failure: _, versions: __, ...view } = record;
  const missing = record.agentId !== null && zone.agents.get(record.agentId)?.connectivity === 'missing';
  const phase: SessionPhase = missing && record.endedAt === null ? 'unknown' : record.phase;
  const pull = phase === 'placed' || phase === 'starting' ? (telemetry?.pull ?? null) : null;
  const health = phase === 'running' ? (telemetry?.health ?? null) : null;
  return { ...view, phase, pull, health, sentence: sentenceOf({ ...record, phase }, { pull, health }) };
}

function sentenceOf(record: SessionRecord, { pull, health }: SessionTelemetry): string {
  const on = record.agentId ?? '';
  const why = record.cause === null ? '' : END_CAUSES[record.cause];
  const failure = record.failure === null ? '' : `: ${record.failure}`;
  const exit = record.exitCode === null ? '' : ` (exit code ${record.exitCode})`;
  switch (record.phase) {
    case 'waiting':
      return `Waiting for a place. ${nearestOf(record.refusal)}`.trim();
    case 'placed':
      return `Placed on ${on}, ${pull === null ? 'about to start' : pullText(pull)}.`;
    case 'starting':
      return pull === null ? `Starting on ${on}.` : `Starting on ${on}: ${pullText(pull)}.`;
    case 'running':
      return `Running on ${on}${healthWords(health)}.`;
    case 'stopping':
      return `Stopping on ${on}: ${why}${failure}${exit}.`;
    case 'unknown':
      return `Unknown: ${on} has stopped checking in. It may still run there.`;
    case 'ended':
      return `Ended: ${why}${failure}${exit}.`;
    case 'cancelled':
      return `Cancelled: ${why}.`;
    case 'refused':
      return `Refused. ${nearestOf(record.refusal)}`.trim();
  }
}

function healthWords(health: SessionTelemetry['health']): string {
  switch (health) {
    case 'starting':
      return ', its health check has not passed yet';
    case 'healthy':
      return ', healthy';
    case 'unhealthy':
      return ', but its health check fails';
    case null:
      return '';
  }
}

function nearestOf(refusal: RefusalSummary | null): string {
  if (refusal === null) return '';
  if (refusal.agents === 0) return 'No agent has joined the zone yet.';
  const [nearest] = refusal.nearest;
  const codes = Object.entries(refusal.codes).map(([code, agents]) => `${code} on ${agents}`);
  return nearest === undefined ? `${codes.join(', ')}.` : `Nearest: ${nearest.agentId}: ${nearest.sentence}.`;
}
