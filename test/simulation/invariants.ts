import { isDeepStrictEqual } from 'node:util';
import type { FleetCommand } from '../../domain/fleet/commands.ts';
import type { HeldSession } from '../../domain/sessions/state.ts';
import type { Condition } from '../../domain/schemas.ts';
import type { ZoneState } from '../../domain/zone/state.ts';
import { FLEET_LOG } from '../../infra/log/port.ts';
import { assertHolds } from './broken.ts';
import type { Accepted } from './client.ts';
import { foldsApart } from './refold.ts';
import type { Witness } from './witness.ts';
import { isWithoutEffect } from './withoutEffect.ts';
import type { World } from './world.ts';

/** What must hold at every moment, whatever goes wrong. Each answers what is wrong, or null. */
type Invariant = (world: World) => string | null;

/** Asked after every step. Those on single events and commits are in judge.ts. */
const ALWAYS: Readonly<Record<string, Invariant>> = {
  'what was recorded stays': ({ witness }) => (witness.isKept ? null : 'a commit that was there has changed or gone'),
  'no device is in two live sessions beyond its slots': devicesOnce,
  'what is allocated is the sum of the claims': allocatedIsSum,
  'an acknowledged command is in the log for ever': acceptedIsRecorded,
  'every event has an id of its own': ({ witness }) => witness.doubledEventId,
  'a gateway shows what the log says': shownIsLogged,
  'nothing dies or answers wrongly': ({ mishaps }) => mishaps[0] ?? null,
};

/** Not after a backup was restored: the hosts then run what a history has started that is no more. */
const IN_ONE_HISTORY: Readonly<Record<string, Invariant>> = {
  'no device is in two containers': devicesInOneContainer,
  'what runs holds a claim': runningHoldsClaim,
  'a container is started at most once': startedOnce,
  'no false alarm is raised': noFalseAlarm,
  'the feed holds what the log holds, in order, each event once': ({ feedWatch, witness }) => feedWatch.wrong(witness),
};

/** Costs the whole log, so every so many steps. */
const REFOLD_STEPS = 25;

/** Throws InvariantBroken at the first that does not hold. */
export function checkInvariants(world: World, step: number): void {
  world.witness.assertSound();
  for (const [name, invariant] of Object.entries(ALWAYS)) assertHolds(name, invariant(world));
  if (!world.isRestored) {
    for (const [name, invariant] of Object.entries(IN_ONE_HISTORY)) assertHolds(name, invariant(world));
  }
  if (step % REFOLD_STEPS === 0) checkRefold(world);
}

export function checkRefold({ witness, sources, clock }: World): void {
  const random = sources(`refold at ${clock.now()}`);
  assertHolds('folding in one go equals folding in any split', foldsApart(witness, random));
}

function held(zone: ZoneState): readonly HeldSession[] {
  return [...zone.sessions.values()].filter((session): session is HeldSession => session.phase !== 'waiting');
}

function devicesOnce({ witness }: World): string | null {
  return firstTwice(held(witness.zone).flatMap(({ claim }) => claim.gpuUuids));
}

function devicesInOneContainer({ hosts }: World): string | null {
  return firstTwice(
    hosts.flatMap(({ engine }) => {
      const running = new Set(engine.containers.filter((c) => c.status === 'running').map((c) => c.sessionId));
      return engine.starts.filter(({ sessionId }) => running.has(sessionId)).flatMap(({ gpuUuids }) => gpuUuids);
    }),
  );
}

function runningHoldsClaim({ hosts, witness }: World): string | null {
  for (const { agentId, engine } of hosts) {
    for (const { sessionId, status } of engine.containers) {
      if (status !== 'running' || witness.givenUp.has(sessionId)) continue;
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

function allocatedIsSum({ witness: { zone } }: World): string | null {
  const claims = held(zone);
  for (const { agentId, allocated } of zone.agents.values()) {
    const own = claims.filter((session) => session.agentId === agentId).map(({ claim }) => claim);
    const millicores = own.reduce((sum, claim) => sum + claim.millicores, 0);
    const memoryBytes = own.reduce((sum, claim) => sum + claim.memoryBytes, 0);
    const gpus = own.reduce((sum, claim) => sum + claim.gpuUuids.length, 0);
    const same =
      millicores === allocated.millicores && memoryBytes === allocated.memoryBytes && gpus === allocated.gpus.size;
    if (!same) return agentId;
  }
  return null;
}

function acceptedIsRecorded({ client, witness }: World): string | null {
  for (const [key, versions] of witness.commands)
    if (versions.length > 1) return `${key} is recorded at ${versions.join()}`;
  for (const [key, accepted] of client.accepted) {
    const { command, version } = accepted;
    const recorded = witness.commands.get(key)?.[0];
    if (recorded === undefined && command.type === 'RequestSession') return `${key} was accepted and is not recorded`;
    if (recorded === undefined || recorded === version || isLaterRepetition(accepted, recorded, witness)) continue;
    return `${key} was answered at version ${version} and is recorded at ${recorded}`;
  }
  return null;
}

/** One that had nothing to change when it was answered is decided anew when it comes again, late perhaps. */
function isLaterRepetition({ command, log, version }: Accepted, recorded: number, witness: Witness): boolean {
  if (recorded < version || log !== FLEET_LOG) return false;
  // Nothing else is asked of that log.
  return isWithoutEffect(command as FleetCommand, witness.historyOf(log).slice(0, version));
}

function shownIsLogged({ gateways, witness }: World): string | null {
  for (const { shown, fleetShown } of gateways) {
    if (shown === null || fleetShown === null) continue;
    const fleetVersion = witness.historyOf(FLEET_LOG).length;
    if (fleetShown.version === fleetVersion && !isDeepStrictEqual(fleetShown.state, witness.fleet))
      return `they differ at version ${fleetVersion} of the fleet`;
    if (shown.version > witness.version) return `version ${shown.version} is shown and not in the log`;
    if (shown.version < witness.version) continue;
    if (!isDeepStrictEqual(shown.state, witness.zone)) return `they differ at version ${shown.version}`;
  }
  return null;
}

/** Where a host's clock is set back between two boots, a late word of the first looks like a second process. */
function noFalseAlarm({ witness, plan }: World): string | null {
  const never: readonly Condition[] =
    plan.faults['host clock'] > 0 ? ['LOG_REWOUND'] : ['LOG_REWOUND', 'IDENTITY_CONFLICT'];
  for (const { agentId, conditions } of witness.zone.agents.values()) {
    const found = never.find((condition) => conditions.has(condition));
    if (found !== undefined) return `${agentId}: ${found}`;
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
