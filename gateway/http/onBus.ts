import type { FleetCommand } from '../../domain/fleet/commands.ts';
import type { ZoneCommand } from '../../domain/zone/commands.ts';

/**
 * Where a route is found on the bus. A query changes nothing. A command is asked of a zone, of the fleet, or of a log, which is
 * either's; `fills` is the field that the subject has said thereby: a message does not say it again.
 */
export type OnBus =
  | { readonly kind: 'query'; readonly name: string }
  | {
      readonly kind: 'command';
      /** `PruneImages` is asked of an agent, and its log has what came of it. */
      readonly name: (ZoneCommand | FleetCommand)['type'] | 'PruneImages';
      readonly target: 'zone' | 'fleet' | 'log';
      readonly fills?: string;
    };

/** Null: a query is asked of nobody in particular. */
export function targetOf(bus: OnBus): 'zone' | 'fleet' | 'log' | null {
  return bus.kind === 'query' ? null : bus.target;
}
