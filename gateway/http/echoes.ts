import { describeGpuNeed } from '../../domain/gpuNeed.ts';
import { labelTexts } from '../../domain/labels.ts';
import { PRUNE_MODES } from '../../domain/pruneMode.ts';
import { coresText, formatBytes, overrideRatio } from '../../domain/units.ts';
import type { AgentView, ImageView } from '../../projections/views.ts';
import type { AgentPatch, ImagePut } from './schemas/requests.ts';

/** How a change was understood, in sentences: of an amount what was parsed, and how it compares with what is there. */
export function agentEchoes(agent: AgentView, patch: AgentPatch): readonly string[] {
  const echoes: string[] = [];
  if (patch.coresOverride !== undefined) echoes.push(coresEcho(agent));
  if (patch.memoryOverride !== undefined) {
    echoes.push(memoryEcho(agent), ...agent.memoryRisks.map(({ sentence }) => sentence));
  }
  if (patch.labels !== undefined) echoes.push(labelsEcho(agent));
  if (patch.pruneMode !== undefined) echoes.push(`prune mode ${agent.pruneMode}: ${PRUNE_MODES[agent.pruneMode]}`);
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

function labelsEcho({ labels }: AgentView): string {
  const texts = labelTexts(labels);
  return texts.length === 0 ? 'no labels' : `labels: ${texts.join(', ')}`;
}

export function imageEchoes(image: ImageView, { requireGpu, gpuCount }: ImagePut): readonly string[] {
  const amounts = `${coresText(image.millicores)}, ${formatBytes(image.memoryBytes)}, ${describeGpuNeed(image.gpu)}`;
  if (requireGpu || gpuCount === 0) return [amounts];
  return [amounts, 'a GPU count without "require GPU" is treated as required'];
}
