import { labelTexts } from '../../domain/labels.ts';
import { PRUNE_MODES } from '../../domain/pruneMode.ts';
import { coresAllocatedSentence, formatBytes, formatCores } from '../../domain/units.ts';
import type { AgentView } from '../../projections/views.ts';
import { openClient, type Client } from './client.ts';
import { CliError, ExitCode } from './exitCodes.ts';
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
  verb: 'enable' | 'disable' | 'declare-lost' | 'revoke',
  options: JsonOption & ReasonOption,
): Promise<void> {
  const client = await openClient();
  const path = `/agents/${encodeURIComponent(agentId)}/${verb}`;
  const agent = await client.call<AgentView>(path, { method: 'POST', body: withReason(options) });
  if (options.json === true) return printJson(agent);
  print(`${agent.agentId}: ${agent.sentence}`);
}

export interface ApproveOptions extends JsonOption, ReasonOption {
  readonly fingerprint?: string;
}

/** The fingerprint is printed in any case, so that it can still be compared. */
export async function approveAgent(agentId: string, options: ApproveOptions): Promise<void> {
  const client = await openClient();
  const path = `/agents/${encodeURIComponent(agentId)}/approve`;
  const { fingerprint } = options;
  const body = withReason(options, fingerprint === undefined ? {} : { fingerprint });
  const agent = await client.call<AgentView>(path, { method: 'POST', body });
  if (options.json === true) return printJson(agent);
  print(`${agent.agentId}: ${agent.sentence}\n${fingerprintSentence(agent)}`);
}

export async function removeAgent(agentId: string, options: JsonOption & ReasonOption): Promise<void> {
  const client = await openClient();
  await client.call(`/agents/${encodeURIComponent(agentId)}`, { method: 'DELETE', body: withReason(options) });
  if (options.json === true) return printJson({ agentId });
  print(`${agentId}: removed`);
}

export interface SetOptions extends JsonOption, ReasonOption {
  readonly cores?: string;
  readonly memory?: string;
  readonly label?: readonly LabelChange[];
  readonly pruneMode?: string;
  readonly confirm?: boolean;
}

/** `--label gpu=l40` or `--no-label gpu`, in the order in which they were said. */
export type LabelChange = readonly [key: string, value: string | null];

export async function setAgent(agentId: string, options: SetOptions): Promise<void> {
  const { cores, memory, label, pruneMode } = options;
  if ([cores, memory, label, pruneMode].every((each) => each === undefined)) {
    throw new CliError(ExitCode.usage, 'there is nothing to set', ['See what can be: npx muster agents set --help']);
  }
  const client = await openClient();
  const path = `/agents/${encodeURIComponent(agentId)}`;
  const labels = label === undefined ? null : await changedLabels(client, path, label);
  const body = withReason(options, {
    ...(cores === undefined ? {} : { coresOverride: cores }),
    ...(memory === undefined ? {} : { memoryOverride: memory }),
    ...(labels === null ? {} : { labels: labels.all }),
    ...(pruneMode === undefined ? {} : { pruneMode }),
    ...(options.confirm === undefined ? {} : { confirm: options.confirm }),
  });
  const headers: Record<string, string> = labels === null ? {} : { 'if-match': `"${labels.ifVersion}"` };
  const answer = await client.call<SetAnswer>(path, { method: 'PATCH', body, headers });
  if (options.json === true) return printJson(answer);
  print([`${agentId}:`, ...answer.echoes.map((echo) => `  ${echo}`)].join('\n'));
}

interface SetAnswer {
  readonly agent: AgentView;
  readonly echoes: readonly string[];
}

/** The gateway takes all labels at once: what stands there, changed, under the condition that it still stands there. */
async function changedLabels(client: Client, path: string, changes: readonly LabelChange[]) {
  const { labels, settingsVersion } = await client.call<AgentView>(path);
  const all = new Map(Object.entries(labels));
  for (const [key, value] of changes) {
    if (value === null) all.delete(key);
    else all.set(key, value);
  }
  return { all: Object.fromEntries(all), ifVersion: settingsVersion };
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
  const words = [connectivity, ...(intent === 'enabled' ? [] : [intent]), ...conditions.map((each) => each.condition)];
  return words.join(', ');
}

function fingerprintSentence({ fingerprint }: AgentView): string {
  return fingerprint === null
    ? 'It has no secret of its own, so there is no fingerprint to compare.'
    : `Its fingerprint is ${fingerprint}; compare it with what the agent printed.`;
}

function details(agent: AgentView, now: number): readonly (readonly [string, string])[] {
  const { physical, capacity, allocated, used, gpuCounts } = agent;
  const ago = agent.lastCheckInAt === null ? 'never' : `${age(agent.lastCheckInAt, now)} ago`;
  const cpu = [
    capacity &&
      coresAllocatedSentence(allocated.millicores, capacity.millicores) +
        percentOf(allocated.millicores, capacity.millicores),
    used && physical && `${amount(used.cpuMillicores, physical.millicores, tenths)} used, ${ago}`,
  ];
  const ram = [
    capacity && `${amount(allocated.memoryBytes, capacity.memoryBytes, formatBytes)} allocated`,
    used && physical && `${amount(used.memoryBytes, physical.memoryBytes, formatBytes)} used, ${ago}`,
  ];
  const { detected, usable, schedulable, free } = gpuCounts;
  const network = networkText(used?.network ?? null);
  return [
    ['agent', `${agent.agentId}${agent.simulated ? ' (simulated)' : ''}`],
    ['host', agent.hostname],
    ['zone', agent.zone],
    ['state', agent.sentence],
    ['fingerprint', agent.fingerprint ?? 'none'],
    ...(agent.revokedAt === null ? [] : [['revoked', agent.revokedAt] as const]),
    ['CPU', cpu.filter((part) => part !== null).join(', ')],
    ['RAM', ram.filter((part) => part !== null).join(', ')],
    ['GPU', `${detected} detected, ${usable} usable, ${schedulable} schedulable, ${free} free`],
    ['override of cores', overrideText(agent.coresOverride, formatCores)],
    ['override of memory', overrideText(agent.memoryOverride, formatBytes)],
    ['labels', labelTexts(agent.labels).join(', ')],
    ['prune mode', `${agent.pruneMode}: ${PRUNE_MODES[agent.pruneMode]}`],
    ['sessions', String(agent.sessions)],
    ['engine', agent.engineVersion ?? ''],
    ['images', agent.images === null ? '' : `${agent.images.count}, ${formatBytes(agent.images.totalBytes)} in all`],
    ['network', network === null ? '' : `${network}, ${ago}`],
    ['last check-in', ago],
    ...agent.conditions.map(
      (each) => [each.condition, `${each.detail.replace(/\.$/, '')}. To mend: ${each.mend}`] as const,
    ),
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
