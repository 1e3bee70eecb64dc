import { isFleetEvent } from '../../domain/events.ts';
import type { FleetCommand } from '../../domain/fleet/commands.ts';
import { evolveFleet } from '../../domain/fleet/evolve.ts';
import { initialFleet } from '../../domain/fleet/state.ts';
import { fleetMachine } from '../../gateway/controller/fleetMachine.ts';
import type { StoredCommit } from '../../infra/log/port.ts';
import { REGISTRIES } from './gatewayProcess.ts';

/**
 * Whether a command has nothing to change after these commits of the fleet's log. It is answered then and not recorded, so that it
 * is decided anew when it comes again, and may change something by then.
 */
export function isWithoutEffect(command: FleetCommand, commits: readonly StoredCommit[]): boolean {
  const state = initialFleet();
  for (const { commit } of commits) {
    for (const event of commit.events) {
      if (isFleetEvent(event)) evolveFleet(state, event, { version: commit.version, time: commit.at });
    }
  }
  const last = commits.at(-1)?.commit;
  const context = { now: last?.at ?? '', logId: last?.logId ?? null, version: last?.version ?? 0 };
  const decision = fleetMachine(REGISTRIES).decide(state, command, context);
  return decision.kind === 'accepted' && decision.facts.length === 0;
}
