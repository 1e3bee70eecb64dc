import type { LiveSnapshot } from '../../ui/data/fleet.ts';
import { partitionedZoneRow } from '../../ui/gallery/fixtures.ts';

/** Every agent and every banner, and enough sessions to have each phase: the rest is more of the same, and axe is slow. */
export function everyPhaseOf(fleet: LiveSnapshot): LiveSnapshot {
  return { ...fleet, sessions: fleet.sessions.slice(0, 10), zones: [partitionedZoneRow()] };
}

/** Dialogs are looked at before a small fleet: what stands behind them is looked at elsewhere. */
export function someOf(fleet: LiveSnapshot): LiveSnapshot {
  const agents = fleet.agents.filter((agent) => ['gpu-02', 'host-4', 'host-7', 'host-new'].includes(agent.agentId));
  return { ...fleet, agents, sessions: fleet.sessions.slice(0, 3) };
}
