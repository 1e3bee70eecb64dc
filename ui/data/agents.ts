import type { AgentView } from '../../projections/views.ts';
import { counted, requestText } from './amounts.ts';

/** How serious the state of an agent is, worst first. */
export type AgentTone = 'ok' | 'idle' | 'warn' | 'danger';

export function agentTone(agent: AgentView): AgentTone {
  if (agent.connectivity === 'missing' || agent.connectivity === 'lost') return 'danger';
  if (agent.connectivity === 'late' || agent.conditions.length > 0) return 'warn';
  if (agent.connectivity === 'never' || agent.intent !== 'enabled') return 'idle';
  return 'ok';
}

/** What the sentence does not say: another zone than the usual, and containers that no log of ours knows of. */
export function extraText(agent: AgentView): string | null {
  const zone = agent.zone === '' || agent.zone === 'default' ? [] : [`Zone ${agent.zone}`];
  const others = agent.unmanagedContainers;
  const unmanaged = others === 0 ? [] : [counted(others, 'unmanaged container', 'unmanaged containers')];
  const parts = [...zone, ...unmanaged];
  return parts.length === 0 ? null : parts.join(', ');
}

/** What declaring a missing agent lost does, so that nobody finds out afterwards. */
export function lossConsequences({ sessions }: AgentView): readonly string[] {
  const after = 'Its settings stay. When it returns it takes new sessions as soon as it has cleaned up.';
  if (sessions === 0) return ['It holds no session, so nothing ends.', after];
  const one = sessions === 1;
  return [
    `${counted(sessions, 'session ends', 'sessions end')} at once, and what ${one ? 'it holds' : 'they hold'} is released.`,
    `If the host is in fact alive, ${one ? 'its container' : 'their containers'} may still run there until its agent returns. ` +
      `Then ${one ? 'it is' : 'they are'} removed, and what was not saved elsewhere is lost.`,
    after,
  ];
}

/** What stands in place of the bars while there is no capacity to measure against. */
export function unmeasuredText(agent: AgentView): string {
  if (agent.physical === null) return 'What it has is known after its first check-in.';
  const { millicores, memoryBytes, gpus } = agent.physical;
  return `It brings ${requestText(millicores, memoryBytes, gpus === 0 ? 'no GPU' : counted(gpus, 'GPU', 'GPUs'))}.`;
}

/** `4 GPUs, 2 schedulable`; null where there is none to show. */
export function gpuSummary(agent: AgentView): string | null {
  const { detected, schedulable } = agent.gpuCounts;
  if (detected === 0) return null;
  const devices = detected === 1 ? '1 GPU' : `${detected} GPUs`;
  return schedulable === detected ? devices : `${devices}, ${schedulable} schedulable`;
}
