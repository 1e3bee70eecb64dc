import type { PruneReport, PruneRow } from '../../domain/pruning/record.ts';
import { formatBytes } from '../../domain/units.ts';
import { openClient } from './client.ts';
import { print, printJson, table, withReason, type JsonOption, type ReasonOption } from './output.ts';

export interface PruneOptions extends JsonOption, ReasonOption {
  readonly mode: string;
  readonly dryRun?: boolean;
}

export async function pruneAgent(agentId: string, options: PruneOptions): Promise<void> {
  const client = await openClient();
  const path = `/agents/${encodeURIComponent(agentId)}/prune`;
  const { mode, dryRun = false } = options;
  const report = dryRun
    ? await client.call<PruneReport>(`${path}?mode=${encodeURIComponent(mode)}`)
    : await client.call<PruneReport>(path, { method: 'POST', body: withReason(options, { mode }) });
  if (options.json === true) return printJson(report);
  print(shown(report, dryRun));
}

/** Layers that images share count in the size of each, so what a disk gains may be less. */
function shown({ images, bytes }: PruneReport, dryRun: boolean): string {
  const removed = images.filter(({ verdict, outcome }) =>
    dryRun ? verdict === 'remove' : outcome === 'removed',
  ).length;
  const what = `${removed} ${removed === 1 ? 'image' : 'images'}, up to ${formatBytes(bytes)}`;
  const sentence = dryRun ? `Would be removed: ${what}.` : `Removed: ${what}.`;
  if (images.length === 0) return `There are no images on this agent. ${sentence}`;
  const rows = images.map((row) => [
    row.references[0] ?? row.imageId,
    formatBytes(row.sizeBytes),
    wordOf(row),
    row.why,
  ]);
  return `${table(['IMAGE', 'SIZE', 'WHAT', 'WHY'], rows)}\n${sentence}`;
}

function wordOf({ verdict, outcome }: PruneRow): string {
  return outcome ?? (verdict === 'remove' ? 'would go' : 'stays');
}
