import { accept, reject, type Decision } from '../decision.ts';
import type { FleetFact } from '../events.ts';
import type { FleetCommand, FleetContext } from './commands.ts';
import { REJECTION_CODES_LIMIT } from './events.ts';
import type { FleetState } from './state.ts';

/** Summaries are at least so far apart, so at most 60 an hour are recorded, however many attempts there are. */
const APART_MS = 60_000;

/** How often the bus turned somebody away, by why. Nothing to count is nothing recorded. */
export function decideRejections(
  { rejectionsAt }: FleetState,
  { since, until, counts }: Extract<FleetCommand, { type: 'RecordRejections' }>,
  { now }: FleetContext,
): Decision<FleetFact> {
  const bounded = boundedCounts(counts);
  if (Object.keys(bounded).length === 0) return accept([], {});
  const waitMs = rejectionsAt === null ? 0 : Date.parse(rejectionsAt) + APART_MS - Date.parse(now);
  if (waitMs > 0) {
    const seconds = Math.ceil(waitMs / 1000);
    return reject('TOO_SOON', `rejected connections were recorded just now; again in ${seconds} s`, { seconds });
  }
  return accept([{ type: 'ConnectionsRejected', data: { since, until, counts: bounded } }], {});
}

function boundedCounts(counts: Readonly<Record<string, number>>): Record<string, number> {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  if (some.length <= REJECTION_CODES_LIMIT) return Object.fromEntries(some);
  const ordered = some.toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const bounded = Object.fromEntries(ordered.slice(0, REJECTION_CODES_LIMIT - 1));
  for (const [, count] of ordered.slice(REJECTION_CODES_LIMIT - 1)) bounded['OTHER'] = (bounded['OTHER'] ?? 0) + count;
  return bounded;
}
