import type { AnyEvent } from '../../domain/events.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import { callForPrune } from '../../infra/bus/pruneCalls.ts';
import type { StoredCommit } from '../../infra/log/port.ts';
import type { Core } from '../core/core.ts';

/**
 * References of all image definitions, and with them the contents that they stand for where those are known. Null: this gateway
 * may not know the newest.
 */
export function knownDefinitions({
  fleet,
  fleetProjection,
}: Pick<Core, 'fleet' | 'fleetProjection'>): readonly string[] | null {
  if (fleet.readOnly !== null) return null;
  const references = new Set<string>();
  for (const { reference, digest } of fleetProjection.state.images.values()) {
    references.add(reference);
    if (digest !== null && !reference.includes('@')) references.add(`${reference}@${digest}`);
  }
  return [...references];
}

/** After these an image may have no definition any more. */
const CHANGES: ReadonlySet<AnyEvent['type']> = new Set(['ImageDefined', 'ImageRevised', 'ImageRetired']);

/** Agents that remove what no definition names hear at once that definitions have changed; of several gateways one tells them. */
export function tellPruners(bus: Bus, { fleet, zones }: Core, { commit }: StoredCommit): void {
  if (fleet.role !== 'leading' || !commit.events.some(({ type }) => CHANGES.has(type))) return;
  for (const { projection } of zones.values()) {
    for (const { agentId, pruneMode } of projection.state.agents.values()) {
      if (pruneMode === 'aggressive') callForPrune(bus, agentId, { kind: 'definitions changed' });
    }
  }
}
