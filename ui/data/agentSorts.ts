import { labelTexts } from '../../domain/labels.ts';
import type { AgentView } from '../../projections/views.ts';
import { agentTone, type AgentTone } from './agents.ts';

/** What agents are sorted by. */
export const AGENT_SORTS = [
  'name',
  'state',
  'enabled',
  'zone',
  'labels',
  'cpu',
  'cpuUsed',
  'memory',
  'memoryUsed',
  'gpu',
  'sessions',
  'disk',
  'checkIn',
] as const;
export type AgentSort = (typeof AGENT_SORTS)[number];

export const AGENT_SORT_NAMES: Readonly<Record<AgentSort, string>> = {
  name: 'Name',
  state: 'State, worst first',
  enabled: 'Enabled',
  zone: 'Zone',
  labels: 'Labels',
  cpu: 'CPU allocated',
  cpuUsed: 'CPU used',
  memory: 'RAM allocated',
  memoryUsed: 'RAM used',
  gpu: 'GPUs allocated',
  sessions: 'Sessions',
  disk: 'Disk used',
  checkIn: 'Last check-in',
};

export interface SortOrder {
  readonly by: AgentSort;
  readonly descending: boolean;
}

/** Null: not known; stands last in either direction. */
export type SortKey = string | number | null;

const WORST: Readonly<Record<AgentTone, number>> = { danger: 0, warn: 1, idle: 3, ok: 4 };
const INTENTS: Readonly<Record<AgentView['intent'], number>> = { pending: 0, enabled: 1, disabled: 2, revoked: 3 };

/** By what an agent is compared. Shares are of what the bar shows: allocated of capacity, used of what is there. */
export function sortKey(agent: AgentView, by: AgentSort): SortKey {
  const { capacity, physical, allocated, used } = agent;
  switch (by) {
    case 'name':
      return agent.hostname;
    case 'state':
      return agent.intent === 'pending' ? 2 : WORST[agentTone(agent)];
    case 'enabled':
      return INTENTS[agent.intent];
    case 'zone':
      return agent.zone === '' ? null : agent.zone;
    case 'labels':
      return labelTexts(agent.labels).join(' ') || null;
    case 'cpu':
      return share(allocated.millicores, capacity?.millicores);
    case 'cpuUsed':
      return share(used?.cpuMillicores, physical?.millicores);
    case 'memory':
      return share(allocated.memoryBytes, capacity?.memoryBytes);
    case 'memoryUsed':
      return share(used?.memoryBytes, physical?.memoryBytes);
    case 'gpu':
      return share(allocated.gpus, capacity?.gpus);
    case 'sessions':
      return agent.sessions;
    case 'disk':
      return share(used?.disk?.usedBytes, used?.disk?.totalBytes);
    case 'checkIn':
      return agent.lastCheckInAt === null ? null : Date.parse(agent.lastCheckInAt);
  }
}

/** Null where there is nothing to be a part of. */
function share(part: number | undefined, whole: number | undefined): number | null {
  return part === undefined || whole === undefined || whole === 0 ? null : part / whole;
}
