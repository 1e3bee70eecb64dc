import { PRUNE_MODES } from '../../domain/pruneMode.ts';
import type { ActivePruneMode, PruneReport, PruneRow } from '../../domain/pruning/record.ts';
import { formatBytes } from '../../domain/units.ts';
import type { AgentView } from '../../projections/views.ts';
import { counted } from './amounts.ts';
import { asSentence } from './explain.ts';

/** By hand images are pruned in one of these, whatever the agent does by itself. */
export const MODES_BY_HAND = ['normal', 'aggressive'] as const satisfies readonly ActivePruneMode[];

/** What is asked for. */
export interface PruneBody {
  readonly mode: ActivePruneMode;
  readonly reason: string;
}

/** The mode that is proposed: the agent's own, and the careful one where it has none. */
export function proposedMode({ pruneMode }: AgentView): ActivePruneMode {
  return pruneMode === 'off' ? 'normal' : pruneMode;
}

/** What it does, for the choice. */
export function modeSentence(mode: ActivePruneMode): string {
  return PRUNE_MODES[mode];
}

/** Largest first: that is what one prunes for. */
export function goingOf({ images }: PruneReport): readonly PruneRow[] {
  return images.filter(({ verdict }) => verdict === 'remove').toSorted(bySize);
}

export function stayingOf({ images }: PruneReport): readonly PruneRow[] {
  return images.filter(({ verdict }) => verdict === 'keep').toSorted(bySize);
}

/** `2 of 9 images go, which frees 7.1 GiB.` */
export function previewText(answer: PruneReport): string {
  const going = goingOf(answer).length;
  const all = counted(answer.images.length, 'image', 'images');
  return `${going} of ${all} ${going === 1 ? 'goes' : 'go'}, which frees ${formatBytes(answer.bytes)}.`;
}

/** `1 image is removed, 1 skipped; that freed 3 GiB.` */
export function resultText({ images, bytes }: PruneReport): string {
  const removed = images.filter(({ outcome }) => outcome === 'removed').length;
  const skipped = images.filter(({ outcome }) => outcome === 'skipped').length;
  if (removed + skipped === 0) return 'Nothing was left to remove.';
  const done = removed === 0 ? 'No image is removed' : counted(removed, 'image is removed', 'images are removed');
  return `${done}${skipped === 0 ? '' : `, ${skipped} skipped`}; that freed ${formatBytes(bytes)}.`;
}

/** Why nothing goes, and what would. */
export function nothingGoes(mode: ActivePruneMode): readonly string[] {
  const rule =
    mode === 'normal'
      ? 'An image goes when Muster pulled it here, no tag is left on it, and nothing has used it for a while.'
      : 'An image goes when Muster pulled it here, no image definition names it, and nothing has used it for a while.';
  const wider = 'Aggressive also takes images that no image definition names any more.';
  return mode === 'normal' ? [rule, wider] : [rule];
}

/** Why, and what became of it once it was tried: `Removed: it has no tag left.` */
export function rowSentence({ outcome, why }: PruneRow): string {
  return asSentence(outcome === null ? why : `${outcome}: ${why}`);
}

/** What an image is called: its first reference, or its id where it has none. */
export function imageTitle({ references, imageId }: PruneRow): string {
  const [first, ...others] = references;
  if (first === undefined) return `untagged ${imageId.replace(/^sha256:/, '').slice(0, 12)}`;
  return others.length === 0 ? first : `${first} and ${counted(others.length, 'other tag', 'other tags')}`;
}

function bySize(a: PruneRow, b: PruneRow): number {
  return b.sizeBytes - a.sizeBytes || (imageTitle(a) < imageTitle(b) ? -1 : 1);
}
