import type { FleetFact } from '../../domain/events.ts';
import type { FleetCommand } from '../../domain/fleet/commands.ts';
import { decideFleet } from '../../domain/fleet/decide.ts';
import { evolveFleet } from '../../domain/fleet/evolve.ts';
import { initialFleet, type FleetState } from '../../domain/fleet/state.ts';
import type { Machine } from './machine.ts';

/** The fleet's own log. Its only zone so far is `default`, which there always is. */
export function fleetMachine(allowedRegistries: readonly string[]): Machine<FleetState, FleetCommand, FleetFact> {
  return {
    initial: initialFleet,
    decide: (state, command, { version, now }) => decideFleet(state, command, { allowedRegistries, version, now }),
    evolve: evolveFleet,
    pending: ({ zones }) =>
      zones.has('default') ? null : { token: 'default-zone', command: { type: 'CreateZone', zone: 'default' } },
  };
}
