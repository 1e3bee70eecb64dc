import { suspectedPartition } from '../domain/agents/partition.ts';
import type { ZoneState } from '../domain/zone/state.ts';
import type { ZoneSummary } from './views.ts';

/** One zone at a glance. `windowSeconds`: agents that fell silent within so many seconds of each other did so at once. */
export function zoneSummary(zone: string, state: ZoneState, windowSeconds: number): ZoneSummary {
  const agents = { never: 0, online: 0, late: 0, missing: 0, lost: 0 };
  for (const { connectivity } of state.agents.values()) agents[connectivity] += 1;
  const waiting = state.line.length;
  const partition = suspectedPartition(state.agents.values(), windowSeconds);
  return {
    zone,
    agents,
    waiting,
    sessions: state.sessions.size - waiting,
    conditions: partition === null ? [] : [{ condition: 'PARTITION_SUSPECTED', ...partition, ...words(partition) }],
  };
}

function words({ silent, expected }: { readonly silent: number; readonly expected: number }) {
  return {
    detail: `${silent} of ${expected} agents fell silent at once: this looks like a network partition; nothing is declared lost`,
    mend: 'look at the network between them and the bus; their sessions may well be running. A host that is really gone can be declared lost by hand',
  };
}
