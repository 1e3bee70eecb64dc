import { isDeepStrictEqual } from 'node:util';
import { capacityOf } from '../../domain/agents/capacity.ts';
import type { ZoneEvent } from '../../domain/events.ts';
import type { HeldSession } from '../../domain/sessions/state.ts';
import type { ZoneState } from '../../domain/zone/state.ts';
import type { Judge } from './witness.ts';
import type { World } from './world.ts';

/** What must hold at every moment, whatever goes wrong. Each answers what is wrong, or null. */

export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken';
  readonly code = 'INVARIANT_BROKEN';
  readonly invariant: string;
  constructor(invariant: string, detail: string, cause?: unknown) {
    super(`${invariant}: ${detail}`, { cause });
    this.invariant = invariant;
  }
}

type Invariant = (world: World) => string | null;

/** Judged at every event of the zone's log. */
export const eventJudge: Judge = {
  before(zone, event) {
    judge('a session is placed only on a candidate', placedOnCandidate(zone, event));
    judge('a claim is released only after the session was withdrawn', endedAfterWithdrawal(zone, event));
  },
  after(zone, event) {
    judge('a placement never takes allocated past capacity', placedWithinCapacity(zone, event));
  },
};

export const INVARIANTS: Readonly<Record<string, Invariant>> = {
  'what was recorded stays': ({ witness }) => (witness.isKept ? null : 'a commit that was there has changed or gone'),
  'no device is in two sessions': devicesOnce,
  'no device is in two containers': devicesInOneContainer,
  'what runs holds a claim': runningHoldsClaim,
  'a container is started at most once': startedOnce,
  'what is allocated is the sum of the claims': allocatedIsSum,
  'an accepted command is in the log, once': acceptedIsRecorded,
  'every event has an id of its own': eventIdsOnce,
  'a gateway shows what the log says': projectionsAgree,
  'no false alarm is raised': noFalseAlarm,
  'nothing dies or answers wrongly': ({ mishaps }) => mishaps[0] ?? null,
};

/** Throws InvariantBroken at the first that does not hold. */
export function checkInvariants(world: World): void {
  for (const [name, invariant] of Object.entries(INVARIANTS)) judge(name, invariant(world));
}

function judge(name: string, problem: string | null): void {
  if (problem !== null) throw new InvariantBroken(name, problem);
}

function placedOnCandidate(zone: ZoneState, event: ZoneEvent): string | null {
  if (event.type !== 'SessionPlaced') return null;
  const agent = zone.agents.get(event.data.agentId);
  const candidate = agent?.enabled === true && agent.connectivity === 'online' && !agent.conditions.has('DOCKER_DOWN');
  return candidate ? null : `${event.data.sessionId} was placed on ${event.data.agentId}`;
}

function endedAfterWithdrawal(zone: ZoneState, event: ZoneEvent): string | null {
  if (event.type !== 'SessionEnded') return null;
  const session = zone.sessions.get(event.data.sessionId);
  const withdrawn = session !== undefined && session.phase !== 'waiting' && session.withdrawn !== null;
  return withdrawn ? null : `${event.data.sessionId} ended`;
}

function placedWithinCapacity(zone: ZoneState, event: ZoneEvent): string | null {
  if (event.type !== 'SessionPlaced') return null;
  const agent = zone.agents.get(event.data.agentId);
  const capacity = agent === undefined ? null : capacityOf(agent);
  if (agent === undefined || capacity === null) return `${event.data.agentId} has no capacity`;
  const { millicores, memoryBytes } = agent.allocated;
  const within = millicores <= capacity.millicores && memoryBytes <= capacity.memoryBytes;
  return within ? null : `${event.data.sessionId} took ${agent.agentId} to ${millicores} m, ${memoryBytes} bytes`;
}

function held(zone: ZoneState): readonly HeldSession[] {
  return [...zone.sessions.values()].filter((session): session is HeldSession => session.phase !== 'waiting');
}

function devicesOnce({ witness }: World): string | null {
  return firstTwice(held(witness.zone).flatMap(({ claim }) => claim.gpuUuids));
}

function devicesInOneContainer({ hosts }: World): string | null {
  const running = hosts.flatMap(({ engine }) =>
    engine.starts.filter(({ sessionId }) =>
      engine.containers.some((c) => c.sessionId === sessionId && c.status === 'running'),
    ),
  );
  return firstTwice(running.flatMap(({ gpuUuids }) => gpuUuids));
}

function runningHoldsClaim({ hosts, witness }: World): string | null {
  for (const { agentId, engine } of hosts) {
    for (const { sessionId, status } of engine.containers) {
      if (status !== 'running') continue;
      const session = witness.zone.sessions.get(sessionId);
      const holds = session !== undefined && session.phase !== 'waiting' && session.agentId === agentId;
      if (!holds) return `${sessionId} runs on ${agentId} without a claim`;
    }
  }
  return null;
}

function startedOnce({ hosts }: World): string | null {
  return firstTwice(hosts.flatMap(({ engine }) => engine.starts.map(({ sessionId }) => sessionId)));
}

function allocatedIsSum({ witness }: World): string | null {
  for (const agent of witness.zone.agents.values()) {
    const claims = held(witness.zone).filter(({ agentId }) => agentId === agent.agentId);
    const millicores = claims.reduce((sum, { claim }) => sum + claim.millicores, 0);
    const gpus = claims.reduce((sum, { claim }) => sum + claim.gpuUuids.length, 0);
    if (millicores !== agent.allocated.millicores || gpus !== agent.allocated.gpus.size) return agent.agentId;
  }
  return null;
}

function acceptedIsRecorded({ client, witness }: World): string | null {
  for (const [key, versions] of witness.commands)
    if (versions.length > 1) return `${key} is recorded at ${versions.join()}`;
  for (const [key, { command }] of client.accepted) {
    if (command.type === 'RequestSession' && !witness.commands.has(key))
      return `${key} was accepted and is not recorded`;
  }
  return null;
}

function eventIdsOnce({ witness }: World): string | null {
  for (const [id, places] of witness.eventIds) if (places.length > 1) return `${id}: ${places.join(', ')}`;
  return null;
}

function projectionsAgree({ gateways, witness }: World): string | null {
  for (const { core } of gateways) {
    const zone = core?.zones.get('default')?.projection;
    if (zone === undefined || zone.version !== witness.version) continue;
    if (!isDeepStrictEqual(zone.state, witness.zone)) return `they differ at version ${zone.version}`;
  }
  return null;
}

function noFalseAlarm({ witness }: World): string | null {
  for (const { agentId, conditions } of witness.zone.agents.values()) {
    for (const never of ['IDENTITY_CONFLICT', 'LOG_REWOUND'] as const)
      if (conditions.has(never)) return `${agentId}: ${never}`;
  }
  return null;
}

function firstTwice(items: readonly string[]): string | null {
  const seen = new Set<string>();
  for (const item of items) {
    if (seen.has(item)) return `${item} twice`;
    seen.add(item);
  }
  return null;
}
