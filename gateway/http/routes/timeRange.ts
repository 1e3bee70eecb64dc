import { z } from 'zod';
import * as s from '../../../domain/schemas.ts';
import type { Range } from '../../../projections/rollupRange.ts';
import { HttpProblem } from '../problem.ts';

/** The range of time that a history is asked for, in a query. */

const HOUR_MS = 3_600_000;
const MOST_HOURS = 400 * 24;

export const rangeFields = {
  hours: z.coerce.number().int().min(1).max(MOST_HOURS).optional().describe('back from `until`; 24 unless said'),
  since: s.time.optional().describe('instead of `hours`'),
  until: s.time.optional().describe('now unless said'),
};

interface AskedRange {
  readonly hours?: number | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

export function beginsOnce({ hours, since }: AskedRange): boolean {
  return hours === undefined || since === undefined;
}

export const BEGINS_TWICE = { path: ['hours'], message: 'say `hours` or `since`, not both' };

/** Throws HttpProblem INVALID_REQUEST. */
export function rangeOf({ hours = 24, since, until }: AskedRange, now: number): Range {
  const end = until === undefined ? now : Date.parse(until);
  const range = { since: since === undefined ? end - hours * HOUR_MS : Date.parse(since), until: end };
  if (range.since <= range.until) return range;
  throw new HttpProblem(400, 'INVALID_REQUEST', 'the range ends before it begins', {
    errors: [{ path: 'since', message: 'must not be after `until`' }],
  });
}
