import { describeGpuNeed } from '../../domain/gpuNeed.ts';
import { formatBytes, formatCores, overrideRatio } from '../../domain/units.ts';
import type { AgentView, ImageView } from '../../projections/views.ts';
import type { AgentPatch, ImagePut } from './schemas/requests.ts';

/** How the amounts of a change were understood, in sentences: what was parsed, and how it compares with what is there. */
export function agentEchoes(agent: AgentView, patch: AgentPatch, swapBytes: number): readonly string[] {
  const echoes: string[] = [];
  if (patch.coresOverride !== undefined) echoes.push(coresEcho(agent));
  if (patch.memoryOverride !== undefined) echoes.push(memoryEcho(agent), ...memoryRisk(agent, swapBytes));
  return echoes;
}

function coresEcho({ coresOverride, physical }: AgentView): string {
  const there = physical === null ? null : coresText(physical.millicores);
  if (coresOverride === null) return `no override of cores${there === null ? '' : `: ${there}`}`;
  const text = coresText(coresOverride.value);
  if (physical === null || there === null) return text;
  return `${text} (${overrideRatio(coresOverride.value, physical.millicores, there)})`;
}

function memoryEcho({ memoryOverride, physical }: AgentView): string {
  const there = physical === null ? null : formatBytes(physical.memoryBytes);
  if (memoryOverride === null) return `no override of memory${there === null ? '' : `: ${there}`}`;
  const text = formatBytes(memoryOverride.value);
  if (physical === null || there === null) return text;
  return `${text} (${overrideRatio(memoryOverride.value, physical.memoryBytes, there)})`;
}

/** Uncovered is what the sessions may use together past physical memory and swap. */
export function memoryRisk({ allocated, physical, memoryOverride }: AgentView, swapBytes: number): readonly string[] {
  if (physical === null) return [];
  const risks: string[] = [];
  const limits = allocated.memoryBytes;
  const uncovered = limits - physical.memoryBytes - swapBytes;
  if (uncovered > 0) {
    risks.push(`${formatBytes(uncovered)} not covered by RAM or swap: sessions can be killed`);
  } else if (limits > physical.memoryBytes) {
    risks.push(`${formatBytes(limits - physical.memoryBytes)} of the sessions' limits are covered by swap`);
  }
  if (swapBytes === 0 && memoryOverride !== null && memoryOverride.value > physical.memoryBytes) {
    risks.push('this agent has no swap: when its sessions use more than its memory, some are killed');
  }
  return risks;
}

function coresText(millicores: number): string {
  return millicores === 1000 ? '1 core' : `${formatCores(millicores)} cores`;
}

export function imageEchoes(image: ImageView, { requireGpu, gpuCount }: ImagePut): readonly string[] {
  const amounts = `${coresText(image.millicores)}, ${formatBytes(image.memoryBytes)}, ${describeGpuNeed(image.gpu)}`;
  if (requireGpu || gpuCount === 0) return [amounts];
  return [amounts, 'a GPU count without "require GPU" is treated as required'];
}
