import { capacityOf, schedulableGpus } from '../../domain/agents/capacity.ts';
import type { CheckIn } from '../../domain/checkIn.ts';
import type { Commit } from '../../domain/commit.ts';
import type { ZoneEvent } from '../../domain/events.ts';
import type { HeldSession } from '../../domain/sessions/state.ts';
import { decideZone } from '../../domain/zone/decide.ts';
import type { ZoneState } from '../../domain/zone/state.ts';
import { assertHolds } from './broken.ts';
import type { Lives } from './lives.ts';

/**
 * Judges every event of the zone's log on the state that it was decided on, and every commit on the state that it made.
 * Throws InvariantBroken. `sent` holds every check-in by the key under which it is decided.
 */
export class Judge {
  readonly #sent: ReadonlyMap<string, CheckIn>;
  readonly #past: 'whole' | 'restored';
  readonly #lives: Lives;
  readonly #claimed = new Set<string>();
  readonly #released = new Set<string>();
  /** Sessions that ended with their agent: their containers may run on there until it comes back. */
  readonly givenUp = new Set<string>();
  #lastAt = '';

  constructor(sent: ReadonlyMap<string, CheckIn>, past: 'whole' | 'restored', lives: Lives) {
    this.#sent = sent;
    this.#past = past;
    this.#lives = lives;
  }

  before(zone: ZoneState, event: ZoneEvent, { logId }: Commit): void {
    assertHolds('no new claim after disabled, late or missing', placedOnCandidate(zone, event));
    assertHolds('an image goes where its labels let it', placedByLabels(zone, event));
    assertHolds('no device is in two live sessions beyond its slots', placedOnFreeDevices(zone, event));
    assertHolds('every claim is released exactly once, by evidence', this.#wrongRelease(zone, event, logId));
    if (this.#past === 'whole') {
      assertHolds('who joins a zone is approved', joinsApproved(this.#lives, event));
      assertHolds('who leaves a zone is revoked and holds nothing', leavesRevoked(this.#lives, zone, event));
    }
  }

  after(zone: ZoneState, event: ZoneEvent): void {
    assertHolds('a placement never takes allocated past capacity', placedWithinCapacity(zone, event));
  }

  commit(zone: ZoneState, commit: Commit): void {
    const wentBack = commit.at < this.#lastAt ? `${commit.version} is of ${commit.at}, before ${this.#lastAt}` : null;
    assertHolds('time never goes back in a log', wentBack);
    this.#lastAt = commit.at;
    // What an agent says of a history that is no more means something else with every commit.
    if (this.#past === 'whole') assertHolds('redelivery changes nothing', this.#changedByRedelivery(zone, commit));
  }

  /** Whatever a commit took from a check-in: the same check-in decided again on the state after it has nothing to add. */
  #changedByRedelivery(zone: ZoneState, { events, at, logId, version }: Commit): string | null {
    for (const causationId of new Set(events.map((event) => event.causationId))) {
      const checkIn = this.#sent.get(causationId);
      if (checkIn === undefined) continue;
      const decision = decideZone(zone, { type: 'RecordCheckIn', checkIn }, { now: at, logId, version });
      const facts = decision.kind === 'accepted' ? decision.facts : [];
      if (facts.length > 0) return `${causationId} again after version ${version} gives ${JSON.stringify(facts[0])}`;
    }
    return null;
  }

  /** Whoever is given up takes its claims along; it must have been missing. */
  #wrongLoss(zone: ZoneState, agentId: string): string | null {
    const agent = zone.agents.get(agentId);
    if (agent?.connectivity !== 'missing') return `${agentId} was declared lost and is ${agent?.connectivity}`;
    for (const sessionId of agent.sessions) {
      this.#released.add(sessionId);
      this.givenUp.add(sessionId);
    }
    return null;
  }

  #wrongRelease(zone: ZoneState, event: ZoneEvent, logId: string): string | null {
    if (event.type === 'SessionPlaced') {
      const { sessionId } = event.data;
      if (this.#claimed.has(sessionId)) return `${sessionId} was placed twice`;
      this.#claimed.add(sessionId);
    }
    if (event.type === 'AgentDeclaredLost') return this.#wrongLoss(zone, event.data.agentId);
    if (event.type !== 'SessionEnded') return null;
    const { sessionId } = event.data;
    if (!this.#claimed.has(sessionId)) return `${sessionId} ended and never had a claim`;
    if (this.#released.has(sessionId)) return `${sessionId} ended twice`;
    this.#released.add(sessionId);
    const session = zone.sessions.get(sessionId);
    if (session === undefined || session.phase === 'waiting') return `${sessionId} ended and holds nothing`;
    const checkIn = this.#sent.get(event.causationId);
    return checkIn === undefined
      ? `${sessionId} was ended by ${event.causationId}`
      : lacksEvidence(session, checkIn, logId);
  }
}

/** The check-in must have applied the withdrawal and show the container exited or absent. */
function lacksEvidence(session: HeldSession, checkIn: CheckIn, logId: string): string | null {
  const { sessionId, agentId, withdrawn } = session;
  const { appliedVersion, engine, sessions } = checkIn;
  if (withdrawn === null) return `${sessionId} ended without having been withdrawn`;
  if (checkIn.agentId !== agentId || checkIn.logId !== logId) return `${sessionId} was ended by somebody else's word`;
  if (appliedVersion < withdrawn.version)
    return `${sessionId} was withdrawn at ${withdrawn.version} and ended by a check-in that had applied ${appliedVersion}`;
  if (engine.status === 'down') return `${sessionId} was ended by a check-in that could not see its engine`;
  const status = sessions.find((observed) => observed.sessionId === sessionId)?.status ?? 'absent';
  return LIVE.has(status) ? `${sessionId} was ended by a check-in that shows it ${status}` : null;
}

const LIVE = new Set(['pulling', 'starting', 'running', 'paused']);

function placedOnCandidate(zone: ZoneState, event: ZoneEvent): string | null {
  if (event.type !== 'SessionPlaced') return null;
  const agent = zone.agents.get(event.data.agentId);
  const candidate = agent?.enabled === true && agent.connectivity === 'online' && !agent.conditions.has('DOCKER_DOWN');
  return candidate ? null : `${event.data.sessionId} was placed on ${event.data.agentId}`;
}

/** Revoked it may be by now: its zone learns of that later. */
function joinsApproved(lives: Lives, event: ZoneEvent): string | null {
  if (event.type !== 'AgentJoined') return null;
  const { agentId } = event.data;
  return (lives.now(agentId)?.approved ?? null) === null ? `${agentId} joined and nobody has approved it` : null;
}

function leavesRevoked(lives: Lives, { agents }: ZoneState, event: ZoneEvent): string | null {
  if (event.type !== 'AgentLeft') return null;
  const { agentId } = event.data;
  const held = agents.get(agentId)?.sessions.size ?? 0;
  if (held > 0) return `${agentId} left and held ${held} sessions`;
  return (lives.now(agentId)?.revoked ?? null) === null ? `${agentId} left and nobody has revoked it` : null;
}

/** In words of its own: whoever writes all that an agent meets, with and without values, needs no rule. */
function placedByLabels(zone: ZoneState, event: ZoneEvent): string | null {
  if (event.type !== 'SessionPlaced') return null;
  const { sessionId, agentId } = event.data;
  const image = zone.sessions.get(sessionId)?.image;
  const met = new Set(
    [...(zone.agents.get(agentId)?.labels ?? [])].flatMap(([key, value]) => [key, `${key}=${value}`]),
  );
  const missing = image?.includeLabels.find((selector) => !met.has(selector));
  const excluded = image?.excludeLabels.find((selector) => met.has(selector));
  if (missing === undefined && excluded === undefined) return null;
  return `${sessionId} was placed on ${agentId}, which ${missing === undefined ? 'has' : 'lacks'} ${missing ?? excluded}`;
}

function placedOnFreeDevices(zone: ZoneState, event: ZoneEvent): string | null {
  if (event.type !== 'SessionPlaced') return null;
  const { sessionId, agentId, claim } = event.data;
  const agent = zone.agents.get(agentId);
  if (new Set(claim.gpuUuids).size < claim.gpuUuids.length) return `${sessionId} holds a device twice`;
  const taken = claim.gpuUuids.find((uuid) => agent?.allocated.gpus.has(uuid));
  return taken === undefined ? null : `${sessionId} got ${taken}, which ${agent?.allocated.gpus.get(taken)} holds`;
}

function placedWithinCapacity(zone: ZoneState, event: ZoneEvent): string | null {
  if (event.type !== 'SessionPlaced') return null;
  const { sessionId, agentId, claim } = event.data;
  const agent = zone.agents.get(agentId);
  const capacity = agent === undefined ? null : capacityOf(agent);
  if (agent === undefined || capacity === null) return `${agentId} has no capacity`;
  const { millicores, memoryBytes } = agent.allocated;
  if (millicores > capacity.millicores || memoryBytes > capacity.memoryBytes)
    return `${sessionId} took ${agentId} to ${millicores} m, ${memoryBytes} bytes`;
  const schedulable = new Set(schedulableGpus(agent).map(({ uuid }) => uuid));
  const strange = claim.gpuUuids.find((uuid) => !schedulable.has(uuid));
  return strange === undefined ? null : `${sessionId} got ${strange}, which ${agentId} cannot give`;
}
