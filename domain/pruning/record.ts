import { z } from 'zod';
import * as s from '../schemas.ts';

/** What somebody may ask a prune for; `off` is no prune. */
export const activePruneMode = s.pruneMode.exclude(['off']);
export type ActivePruneMode = z.infer<typeof activePruneMode>;

const references = z.array(z.string().max(255)).max(16);

/** One image in a prune. `references`: what it is called, or was pulled as where it has no name left. */
export const pruneRow = z.object({
  imageId: z.string().max(128),
  references,
  sizeBytes: s.bytes,
  verdict: z.enum(['remove', 'keep']),
  /** Null: nothing was tried. */
  outcome: z.enum(['removed', 'skipped']).nullable(),
  why: s.shortText,
});
export type PruneRow = z.infer<typeof pruneRow>;

/** What a prune would do, or did. `bytes`: to be freed, or freed; layers that images share count in the size of each. */
export const pruneReport = z.object({
  agentId: s.id,
  mode: activePruneMode,
  at: s.time,
  images: z.array(pruneRow),
  bytes: s.bytes,
});
export type PruneReport = z.infer<typeof pruneReport>;

/** Who asked for a prune; null: it came by itself. */
export const pruneAsker = z.object({ actor: s.actor, reason: s.shortText.nullable() });
export type PruneAsker = z.infer<typeof pruneAsker>;

/**
 * One removal, or one that was tried and not done. The agent numbers them and tells each until its document says that the log has
 * it. `at` is by the agent's clock.
 */
export const pruneRecord = z.object({
  number: z.int().min(1),
  outcome: z.enum(['removed', 'skipped']),
  imageId: z.string().max(128),
  references,
  freedBytes: s.bytes,
  mode: activePruneMode,
  why: s.shortText,
  asker: pruneAsker.nullable(),
  at: s.time,
});
export type PruneRecord = z.infer<typeof pruneRecord>;

/** A count begins anew when an agent has lost its disk; its name tells one from the other. */
const series = s.id;

export const pruneRecords = z.object({ series, records: z.array(pruneRecord).max(64) });
export type PruneRecords = z.infer<typeof pruneRecords>;

/** Up to which number of a series a log has an agent's records. */
export const pruneMark = z.object({ series, number: z.int().min(1) });
export type PruneMark = z.infer<typeof pruneMark>;
