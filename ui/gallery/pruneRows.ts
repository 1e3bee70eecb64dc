import type { ActivePruneMode, PruneReport, PruneRow } from '../../domain/pruning/record.ts';
import { GIB, NOON } from './fixtures.ts';

/** Images of a host, as a prune looks at them. */

export function pruneRow(change: Partial<PruneRow> = {}): PruneRow {
  return {
    imageId: 'sha256:9b2fd3a7c01e5a4d8f6b7e3c2a1d0f9e8b7a6c5d4e3f2a1b0c9d8e7f6a5b4c3d',
    references: [],
    sizeBytes: Math.round(4.1 * GIB),
    verdict: 'remove',
    outcome: null,
    why: 'it has no tag left',
    ...change,
  };
}

const DESKTOP = pruneRow({
  imageId: 'sha256:1',
  references: ['docker.io/kasmweb/desktop:1.16.0', 'docker.io/kasmweb/desktop:latest'],
  verdict: 'keep',
  why: 'a container uses it',
});
const LOCAL = pruneRow({
  imageId: 'sha256:2',
  references: ['registry.example.internal/research/desktops/ubuntu-with-everything-that-somebody-asked-for:2026.11'],
  sizeBytes: Math.round(9.4 * GIB),
  verdict: 'keep',
  why: 'Muster did not pull it',
});
const OLD = pruneRow({
  imageId: 'sha256:3',
  references: ['docker.io/pytorch/pytorch:2.4.0'],
  sizeBytes: Math.round(6.1 * GIB),
  why: 'no image definition names it',
});

export function pruneAnswer(mode: ActivePruneMode, change: Partial<PruneReport> = {}): PruneReport {
  const kept = { ...OLD, verdict: 'keep' as const, why: 'it is still called docker.io/pytorch/pytorch:2.4.0' };
  const images = [DESKTOP, pruneRow(), mode === 'aggressive' ? OLD : kept, LOCAL];
  const bytes = images.reduce((sum, { verdict, sizeBytes }) => sum + (verdict === 'remove' ? sizeBytes : 0), 0);
  return { agentId: 'host-1', mode, at: new Date(NOON).toISOString(), images, bytes, ...change };
}

/** The same once it was done: the last that was to go could not be removed. */
export function prunedAnswer(mode: ActivePruneMode): PruneReport {
  const before = pruneAnswer(mode);
  const last = before.images.findLast(({ verdict }) => verdict === 'remove');
  const conflict = 'the container engine keeps it: a stopped container was made from it';
  const images = before.images.map((image): PruneRow => {
    if (image.verdict === 'keep') return image;
    if (image !== last || mode === 'normal') return Object.assign({}, image, { outcome: 'removed' as const });
    return Object.assign({}, image, { outcome: 'skipped' as const, why: conflict });
  });
  const bytes = images.reduce((sum, { outcome, sizeBytes }) => sum + (outcome === 'removed' ? sizeBytes : 0), 0);
  return { ...before, images, bytes };
}
