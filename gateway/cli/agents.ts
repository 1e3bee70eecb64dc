import { coresAllocatedSentence, formatBytes, formatCores } from '../../domain/units.ts';
import type { AgentView } from '../../projections/views.ts';
import { openClient } from './client.ts';
import { age, facts, print, printJson, table, withReason, type JsonOption, type ReasonOption } from './output.ts';

export async function listAgents({ json }: JsonOption): Promise<void> {
  const client = await openClient();
  const answer = await client.call<{ readonly agents: readonly AgentView[] }>('/agents');
  if (json === true) return printJson(answer);
  if (answer.agents.length === 0) return print('No agent has checked in yet. `npm start` starts one on this machine.');
  const now = Date.now();
  const head = ['AGENT', 'HOST', 'STATE', 'CPU', 'RAM', 'GPU', 'SESSIONS', 'HEARD'];
  print(
    table(
      head,
      answer.agents.map((agent) => row(agent, now)),
    ),
  );
}

export async function showAgent(agentId: string, { json }: JsonOption): Promise<void> {
  const client = await openClient();
  const agent = await client.call<AgentView>(`/agents/${encodeURIComponent(agentId)}`);
  if (json === true) return printJson(agent);
  print(facts(details(agent, Date.now())));
}

export async function changeAgent(
  agentId: string,
  verb: 'approve' | 'enable' | 'disable' | 'declare-lost',
  options: JsonOption & ReasonOption,
): Promise<void> {
  const client = await openClient();
  const path = `/agents/${encodeURIComponent(agentId)}/${verb}`;
  const agent = await client.call<AgentView>(path, { method: 'POST', body: withReason(options) });
  if (options.json === true) return printJson(agent);
  print(`${agent.agentId}: ${agent.sentence}`);
}

export interface SetOptions extends JsonOption, ReasonOption {
  readonly cores?: string;
  readonly memory?: string;
  readonly confirm?: boolean;
}

export async function setAgent(agentId: string, options: SetOptions): Promise<void> {
  const client = await openClient();
  const body = withReason(options, {
    ...(options.cores === undefined ? {} : { coresOverride: options.cores }),
    ...(options.memory === undefined ? {} : { memoryOverride: options.memory }),
    ...(options.confirm === undefined ? {} : { confirm: options.confirm }),
  });
  const path = `/agents/${encodeURIComponent(agentId)}`;
  const answer = await client.call<{ agent: AgentView; echoes: readonly string[] }>(path, { method: 'PATCH', body });
  if (options.json === true) return printJson(answer);
  print([`${agentId}:`, ...answer.echoes.map((echo) => `  ${echo}`)].join('\n'));
}

function row(agent: AgentView, now: number): readonly string[] {
  const { allocated, capacity, sessions, hostname, lastCheckInAt } = agent;
  return [
    `${agent.agentId}${agent.simulated ? ' (simulated)' : ''}`,
    hostname,
    stateOf(agent),
    capacity === null ? '' : `${formatCores(allocated.millicores)} / ${formatCores(capacity.millicores)}`,
    capacity === null ? '' : `${formatBytes(allocated.memoryBytes)} / ${formatBytes(capacity.memoryBytes)}`,
    capacity === null ? '' : `${allocated.gpus} / ${capacity.gpus}`,
    String(sessions),
    lastCheckInAt === null ? '' : `${age(lastCheckInAt, now)} ago`,
  ];
}

function stateOf({ intent, connectivity, conditions }: AgentView): string {
  if (intent === 'pending') return 'pending';
  const words = [
    connectivity,
    ...(intent === 'disabled' ? ['disabled'] : []),
    ...conditions.map((each) => each.condition),
  ];
  return words.join(', ');
}

function details(agent: AgentView, now: number): readonly (readonly [string, string])[] {
  const { physical, capacity, allocated, used, gpuCounts } = agent;
  const ago = agent.lastCheckInAt === null ? 'never' : `${age(agent.lastCheckInAt, now)} ago`;
  const cpu =
    capacity &&
    coresAllocatedSentence(allocated.millicores, capacity.millicores) +
      percentOf(allocated.millicores, capacity.millicores);
  const ram = capacity && `${amount(allocated.memoryBytes, capacity.memoryBytes, formatBytes)} allocated`;
  const cpuUsed = used && physical && `, ${amount(used.cpuMillicores, physical.millicores, tenths)} used, ${ago}`;
  const ramUsed = used && physical && `, ${amount(used.memoryBytes, physical.memoryBytes, formatBytes)} used, ${ago}`;
  const { detected, usable, schedulable, free } = gpuCounts;
  const network = networkText(used?.network ?? null);
  return [
    ['agent', `${agent.agentId}${agent.simulated ? ' (simulated)' : ''}`],
    ['host', agent.hostname],
    ['zone', agent.zone],
    ['state', agent.sentence],
    ['CPU', `${cpu ?? ''}${cpuUsed ?? ''}`],
    ['RAM', `${ram ?? ''}${ramUsed ?? ''}`],
    ['GPU', `${detected} detected, ${usable} usable, ${schedulable} schedulable, ${free} free`],
    ['override of cores', overrideText(agent.coresOverride, formatCores)],
    ['override of memory', overrideText(agent.memoryOverride, formatBytes)],
    ['sessions', String(agent.sessions)],
    ['engine', agent.engineVersion ?? ''],
    ['images', agent.images === null ? '' : `${agent.images.count}, ${formatBytes(agent.images.totalBytes)} in all`],
    ['network', network === null ? '' : `${network}, ${ago}`],
    ['last check-in', ago],
    ...agent.conditions.map((each) => [each.condition, `${each.detail}. ${each.mend}`] as const),
    ...agent.gpus.map((gpu) => [`GPU ${gpu.index}`, `${gpu.uuid} ${gpu.model}, ${gpu.reason ?? gpu.health}`] as const),
  ];
}

function networkText(network: NonNullable<AgentView['used']>['network'] | null): string | null {
  if (network === null || network === undefined) return null;
  const { receivedBytesPerSecond: received, sentBytesPerSecond: sent } = network;
  return `${formatBytes(received)}/s received, ${formatBytes(sent)}/s sent`;
}

/** `5 / 12 (42 %)`. */
function amount(part: number, whole: number, text: (value: number) => string): string {
  return `${text(part)} / ${text(whole)}${percentOf(part, whole)}`;
}

function percentOf(part: number, whole: number): string {
  return whole > 0 ? ` (${Math.round((part / whole) * 100)} %)` : '';
}

function tenths(millicores: number): string {
  return String(Number((millicores / 1000).toFixed(1)));
}

function overrideText(override: AgentView['coresOverride'], text: (value: number) => string): string {
  if (override === null) return 'none';
  const { value, setWhenPhysical } = override;
  return setWhenPhysical === null ? text(value) : `${text(value)}, set when physical was ${text(setWhenPhysical)}`;
}
