import { overrideNeedsConfirm, pastCapacity } from '../../domain/agents/capacity.ts';
import { parseCores, parseMemory } from '../../domain/units.ts';
import type { AgentView } from '../../projections/views.ts';
import { counted } from './amounts.ts';
import { changeOverrides, setEnabled } from './gateway.ts';
import { coresEcho, memoryEcho } from './overrides.ts';
import { isRefusal, type GatewayUnreachable, type Problem } from './problem.ts';

/** What may be done to many agents at once. An override of null stays as it is; empty takes it away. */
export type BulkChange =
  | { readonly kind: 'enable' | 'disable' }
  | {
      readonly kind: 'override';
      readonly cores: string | null;
      readonly memory: string | null;
      /** Whether values outside 0.1x to 10x of what is physically there are meant. */
      readonly confirm: boolean;
    };

/** What happens to one agent, in a sentence, or why nothing does. */
export interface BulkLine {
  readonly agent: AgentView;
  readonly does: boolean;
  readonly sentence: string;
  /** Nothing happens to it unless somebody says that an unusual value is meant. */
  readonly unusual: boolean;
}

export interface BulkResult {
  readonly agent: AgentView;
  readonly refusal: Problem | GatewayUnreachable | null;
}

/** What a change would do to each agent, as it is now. */
export function bulkPreview(agents: readonly AgentView[], change: BulkChange): readonly BulkLine[] {
  return agents.map((agent) => lineOf(agent, change));
}

function lineOf(agent: AgentView, change: BulkChange): BulkLine {
  const line = (does: boolean, sentence: string, unusual = false): BulkLine => ({ agent, does, sentence, unusual });
  const { intent } = agent;
  if (intent === 'pending') return line(false, 'It waits for approval.');
  if (intent === 'revoked') return line(false, 'It is revoked.');
  switch (change.kind) {
    case 'enable':
      if (intent === 'enabled') return line(false, 'It is enabled already.');
      return line(
        true,
        agent.connectivity === 'online' ? 'It takes new sessions.' : 'It takes new sessions once it is back.',
      );
    case 'disable':
      if (intent === 'disabled') return line(false, 'It is disabled already.');
      return line(true, `It takes nothing new.${untouched(agent)}`);
    case 'override':
      return overrideLine(agent, change, line);
  }
}

function untouched({ sessions }: AgentView): string {
  if (sessions === 0) return ' No session is on it.';
  return sessions === 1 ? ' Its session stays untouched.' : ` Its ${sessions} sessions stay untouched.`;
}

function overrideLine(
  agent: AgentView,
  { cores, memory, confirm }: Extract<BulkChange, { kind: 'override' }>,
  line: (does: boolean, sentence: string, unusual?: boolean) => BulkLine,
): BulkLine {
  const { physical } = agent;
  const said = [
    ...(cores === null ? [] : [{ label: 'CPU', ...coresEcho(cores, physical) }]),
    ...(memory === null ? [] : [{ label: 'RAM', ...memoryEcho(memory, agent) }]),
  ];
  const wrong = said.find(({ kind }) => kind === 'invalid');
  if (wrong !== undefined) return line(false, `${wrong.label}: ${wrong.text}.`);
  const [millicores, memoryBytes] = [valueOf(cores, parseCores), valueOf(memory, parseMemory)];
  const sameCores = millicores === undefined || millicores === (agent.coresOverride?.value ?? null);
  const sameMemory = memoryBytes === undefined || memoryBytes === (agent.memoryOverride?.value ?? null);
  if (sameCores && sameMemory) return line(false, said.length === 0 ? 'No value is given.' : 'It has that already.');
  const unusual =
    physical !== null &&
    (overrideNeedsConfirm(millicores ?? physical.millicores, physical.millicores) ||
      overrideNeedsConfirm(memoryBytes ?? physical.memoryBytes, physical.memoryBytes));
  const words = said.map(({ label, text }) => `${label}: ${text.replace(/; unusual, .*$/, '').replace(/\.$/, '')}`);
  const risks = said.flatMap(({ risk }) => risk?.sentence ?? []);
  const sentence = [`${words.join('; ')}.`, ...pastText(agent, millicores, memoryBytes), ...risks].join(' ');
  if (unusual && !confirm) return line(false, `Unusual, and not confirmed. ${sentence}`, true);
  return line(true, sentence, unusual);
}

/** What would be allocated past capacity, which evicts nothing. Undefined: it stays; null: no override. */
function pastText(
  { physical, capacity, allocated }: AgentView,
  millicores: number | null | undefined,
  memoryBytes: number | null | undefined,
): readonly string[] {
  if (physical === null || capacity === null) return [];
  const over = pastCapacity(allocated, {
    millicores: millicores === undefined ? capacity.millicores : (millicores ?? physical.millicores),
    memoryBytes: memoryBytes === undefined ? capacity.memoryBytes : (memoryBytes ?? physical.memoryBytes),
    gpus: capacity.gpus,
  });
  return over.length === 0
    ? []
    : [`Over-allocated by ${over.join(' and ')} then: it ends nothing and takes nothing new.`];
}

/** Undefined: it stays as it is; null: no override. */
function valueOf(text: string | null, parse: typeof parseCores): number | null | undefined {
  if (text === null) return undefined;
  const parsed = text.trim() === '' ? null : parse(text);
  return parsed === null || !parsed.ok || parsed.value === 0 ? null : parsed.value;
}

/** `3 agents are disabled`, for what was done. */
export function bulkDone(kind: BulkChange['kind'], count: number): string {
  const done = { enable: 'enabled', disable: 'disabled', override: 'saved' }[kind];
  return `${counted(count, 'agent is', 'agents are')} ${done}`;
}

/** Sends the change of one agent, and answers with it as it is then. */
export async function changeOne(agent: AgentView, change: BulkChange, reason: string): Promise<AgentView> {
  if (change.kind !== 'override') return setEnabled(agent.agentId, change.kind === 'enable', reason);
  const { cores, memory, confirm } = change;
  const { agent: changed } = await changeOverrides(agent.agentId, {
    ...(cores === null ? {} : { coresOverride: cores.trim() === '' ? null : cores.trim() }),
    ...(memory === null ? {} : { memoryOverride: memory.trim() === '' ? null : memory.trim() }),
    ...(confirm ? { confirm } : {}),
    ...(reason === '' ? {} : { reason }),
  });
  return changed;
}

/** Requests that are under way at a time: the gateway groups them into few commits, and the page stays in use. */
const AT_ONCE = 6;

/** Does it to one after another, and tells each result; what is refused stops nothing. Ends early when `signal` aborts. */
export async function runBulk(
  agents: readonly AgentView[],
  work: (agent: AgentView) => Promise<void>,
  told: (result: BulkResult) => void,
  signal: AbortSignal,
): Promise<void> {
  const waiting = agents.values();
  const lane = async (): Promise<void> => {
    for (const agent of waiting) {
      if (signal.aborted) return;
      told({ agent, refusal: await refusalOf(() => work(agent)) });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

async function refusalOf(work: () => Promise<void>): Promise<Problem | GatewayUnreachable | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return error;
  }
}
