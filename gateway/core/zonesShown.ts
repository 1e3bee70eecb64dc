import type { ZoneSummary } from '../../projections/views.ts';
import { zoneSummary } from '../../projections/zoneSummary.ts';
import type { Core } from './core.ts';

/** Every zone at a glance, read from acknowledged state. */
export function zonesShown(core: Core): readonly ZoneSummary[] {
  return [...core.zones].map(([zone, { projection, desk }]) => zoneSummary(zone, projection.state, desk.windowSeconds));
}
