import type { AgentState } from '../domain/agents/state.ts';
import type { Heard } from './agentView.ts';
import type { AgentHostView } from './views.ts';

/** `agent` is null while it has joined no zone. */
export function agentHostView(agent: AgentState | null, { checkIn, receivedAt }: Heard): AgentHostView {
  const { agentId, hostname, agentVersion, bootId, observedAt, engine, hardware, usage } = checkIn;
  const { millicores, memoryBytes, swapBytes } = hardware;
  return {
    agentId,
    hostname,
    agentVersion,
    bootId,
    bootedAt: agent?.bootId === bootId ? agent.bootObservedAt : null,
    observedAt,
    receivedAt,
    engine,
    millicores,
    memoryBytes,
    swapBytes,
    disk: usage.disk,
    network: usage.network ?? null,
    images: checkIn.images?.toSorted((a, b) => b.sizeBytes - a.sizeBytes) ?? null,
    orphans: checkIn.orphans.map(({ sessionId }) => sessionId),
    unmanagedContainers: checkIn.unmanagedContainers,
    truncated: checkIn.truncated ?? false,
  };
}
