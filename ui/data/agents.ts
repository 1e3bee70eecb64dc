import type { AgentView } from '../../projections/views.ts';
import { bytesOf, counted, percent, requestText } from './amounts.ts';
import { addressOf } from './page.ts';

/** How serious the state of an agent is, worst first. */
export type AgentTone = 'ok' | 'idle' | 'warn' | 'danger';

export function agentTone(agent: AgentView): AgentTone {
  if (agent.intent === 'revoked') return agent.sessions === 0 ? 'idle' : 'danger';
  if (agent.connectivity === 'missing' || agent.connectivity === 'lost') return 'danger';
  if (agent.connectivity === 'late' || agent.conditions.length > 0) return 'warn';
  if (agent.connectivity === 'never' || agent.intent !== 'enabled') return 'idle';
  return 'ok';
}

/** Whether somebody should look at it: it is in trouble, or waits to be approved. */
export function needsAttention(agent: AgentView): boolean {
  const tone = agentTone(agent);
  return agent.intent === 'pending' || agent.memoryRisks.length > 0 || tone === 'warn' || tone === 'danger';
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

/** What revoking an agent does, and what it leaves to be done. */
export function revocationConsequences({ intent, sessions }: AgentView): readonly string[] {
  const forever = 'It is not heard any more, for ever. To trust it again, remove it and approve it anew.';
  if (intent === 'pending') return [forever];
  if (sessions === 0)
    return [forever, 'Nothing new is placed on it. It holds no session, so it can be removed at once.'];
  const one = sessions === 1;
  return [
    forever,
    `Nothing new is placed on it. ${counted(sessions, 'session stays', 'sessions stay')} on it, and what ` +
      `${one ? 'it holds' : 'they hold'} is free only once the agent is missing and you declare it lost.`,
    `${one ? 'Its container' : 'Their containers'} may go on running on the host, where nobody stops ${one ? 'it' : 'them'}: ` +
      'stop what must end before you revoke.',
  ];
}

/** What taking an agent off the list does. */
export function agentRemovalConsequences(): readonly string[] {
  return [
    'It goes off this page, with its settings. The log keeps what happened.',
    'A host that joins under this name later waits for approval like a new one.',
  ];
}

/** What stands in place of the bars while there is no capacity to measure against. */
export function unmeasuredText(agent: AgentView): string {
  if (agent.physical === null) return 'What it has is known after its first check-in.';
  const { millicores, memoryBytes, gpus } = agent.physical;
  return `It brings ${requestText(millicores, memoryBytes, gpus === 0 ? 'no GPU' : counted(gpus, 'GPU', 'GPUs'))}.`;
}

/** The page of one agent. */
export function agentAddress(agentId: string): string {
  return addressOf({ page: 'agents', id: agentId });
}

/** What is used of the file system of the engine's images and containers; null while not measured. */
export function diskText({ used }: AgentView): { readonly share: string; readonly amounts: string } | null {
  const disk = used?.disk ?? null;
  if (disk === null) return null;
  const { usedBytes, totalBytes } = disk;
  return { share: percent(usedBytes, totalBytes).replace(' ', '\u00A0'), amounts: bytesOf(usedBytes, totalBytes) };
}
