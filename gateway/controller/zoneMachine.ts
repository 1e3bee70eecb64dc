import type { ZoneFact } from '../../domain/events.ts';
import type { ZoneCommand } from '../../domain/zone/commands.ts';
import { decideZone } from '../../domain/zone/decide.ts';
import { evolveZone } from '../../domain/zone/evolve.ts';
import { initialZone, type ZoneState } from '../../domain/zone/state.ts';
import type { Machine } from './machine.ts';

/** A zone's pending work is its waiting line: tried again after every event that may let one of it fit, 128 per commit. */
export const zoneMachine: Machine<ZoneState, ZoneCommand, ZoneFact> = {
  initial: initialZone,
  decide: decideZone,
  evolve: evolveZone,
  pending: ({ line, chances }) =>
    line.length === 0 ? null : { token: `line-${chances}`, command: { type: 'PlaceWaiting' } },
};
