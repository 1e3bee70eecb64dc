import { z } from 'zod';
import * as s from '../../domain/schemas.ts';
import { BusError, isBusAway } from '../../infra/bus/errors.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import { readFeed, type FeedPart } from '../../infra/bus/feedRead.ts';
import { FLEET_LOG } from '../../infra/log/port.ts';
import type { Core } from '../core/core.ts';
import { invalidRequest } from '../http/errors.ts';
import { HttpProblem, unavailable } from '../http/problem.ts';
import { zoneOr404 } from '../http/routes/find.ts';
import { Turns } from '../turns.ts';
import type { OwnOperation } from './operations.ts';

const fields = z
  .strictObject({
    zone: s.id.optional(),
    fleet: z.boolean().default(false),
    after: z.int().min(0).default(0),
    limit: z.int().min(1).max(1000).default(1000),
  })
  .refine(({ zone, fleet }) => zone === undefined || !fleet, { path: ['fleet'], message: 'not together with `zone`' });

/** So that an answer fits in a message, with the JSON around it. */
const MOST_BYTES = 1024 * 1024;
/** Each may take a megabyte of the bus's memory and of ours. */
const LIMITS = { atOnce: 8, mostWaiting: 64 };
const BUSY_RETRY_SECONDS = 1;

/** What a program asks that has missed something of the feed: it is on the bus alone, since REST has the log itself. */
export function feedQuery(bus: Bus, core: Core): OwnOperation {
  const turns = new Turns(LIMITS, () => {
    const detail = 'many are reading feeds; ask again shortly';
    return new HttpProblem(503, 'BUSY', detail, { retryAfterSeconds: BUSY_RETRY_SECONDS });
  });
  return {
    bus: { kind: 'query', name: 'feed' },
    role: 'viewer',
    summary: 'Messages of the feed of a zone, or of the fleet, behind a sequence',
    async answer(said) {
      const { zone, fleet, after, limit } = understood(said);
      const log = fleet ? FLEET_LOG : zoneOr404(core, zone ?? 'default').projection.log;
      return await turns.run(() => part(bus, log, { after, limit }));
    },
  };
}

async function part(
  bus: Bus,
  log: string,
  range: { readonly after: number; readonly limit: number },
): Promise<FeedPart> {
  try {
    return await readFeed(bus, log, { ...range, mostBytes: MOST_BYTES });
  } catch (error) {
    if (error instanceof BusError && isBusAway(error)) throw unavailable(error.message, error);
    throw error;
  }
}

/** Refused in the words of REST. */
function understood(said: unknown): z.output<typeof fields> {
  const result = fields.safeParse(said);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => ({
    keyword: issue.code,
    instancePath: `/${issue.path.join('/')}`,
    message: issue.message,
    params: { ...issue },
  }));
  throw invalidRequest({ validation: issues, validationContext: 'message' });
}
