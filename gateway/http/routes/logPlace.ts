import { z } from 'zod';
import type { Core } from '../../core/core.ts';
import { positionsShown } from '../../core/queries.ts';
import { parsePosition } from '../../live/eventRows.ts';
import { HttpProblem, notFound } from '../problem.ts';

export const positionText = z
  .string()
  .max(100)
  .refine((text) => parsePosition(text) !== null, 'a position is like zone-default:17')
  .describe('a position, such as zone-default:17: events after it');

/** Which log is meant, and after which version; null when none was named. A position names its log. */
export function logPlace(
  core: Core,
  asked: string | undefined,
  after: string | undefined,
): { readonly log: string; readonly version: number | null } {
  const place = after === undefined ? null : parsePosition(after);
  const log = asked ?? place?.log ?? 'zone-default';
  if (!Object.hasOwn(positionsShown(core), log)) throw notFound('LOG_UNKNOWN', `there is no log "${log}"`);
  if (place !== null && place.log !== log) {
    throw new HttpProblem(400, 'INVALID_REQUEST', `${after} is a position of another log than ${log}`, {
      errors: [{ path: 'after', message: `not a position of ${log}` }],
    });
  }
  return { log, version: place?.version ?? null };
}

/** The newest version of a log that is shown. */
export function headOf(core: Core, log: string): number {
  const zones = [...core.zones.values()].map(({ projection }) => projection);
  return [core.fleetProjection, ...zones].find((projection) => projection.log === log)?.version ?? 0;
}
