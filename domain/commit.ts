import { z } from 'zod';
import { eventEnvelope, type AnyEvent } from './events.ts';
import * as s from './schemas.ts';

/** Raised whenever `decide` or `evolve` would answer the same history differently. */
export const RULES_VERSION = 3;

/**
 * What became of a command, kept with the commit that carried it out, so that a repeated key is answered from the log:
 * `requestHash` tells whether the repetition is the same request, `outcome` is the answer given then.
 */
export const commandOutcome = z.object({
  key: z.string().min(1).max(128),
  requestHash: z.string().max(64),
  outcome: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
export type CommandOutcome = z.infer<typeof commandOutcome>;

export const commitHeader = z.object({
  logId: s.id,
  version: z.int().min(1),
  previousHash: z.string().max(64),
  rulesVersion: z.int().min(1),
  at: s.time,
  events: z.array(eventEnvelope).min(1).max(256),
  commands: z.array(commandOutcome),
});

/**
 * One atomic step of a log: 1 to 256 events, in order, and the outcomes of the commands that caused them. `version`
 * counts a log's commits from 1 without a gap; `previousHash` chains each commit to the bytes of the one before ('' for
 * the first). `logId` is random and made with the first commit.
 */
export interface Commit {
  readonly logId: string;
  readonly version: number;
  readonly previousHash: string;
  readonly rulesVersion: number;
  readonly at: string;
  readonly events: readonly AnyEvent[];
  readonly commands: readonly CommandOutcome[];
}

/** `zone-default:17`: a place in one log, ordered within that log only. */
export function formatPosition(log: string, version: number): string {
  return `${log}:${version}`;
}
