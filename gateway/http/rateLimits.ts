import type { FastifyRequest } from 'fastify';
import { placeOf } from '../auth/place.ts';
import { HttpProblem } from './problem.ts';

const MINUTE_MS = 60_000;

/** A flood of sign-ins from one address. Guessing is made slow long before it, where it is known what is wrong. */
export const SIGN_IN_LIMIT = { max: 300, timeWindow: MINUTE_MS };
/** Of each route that changes who may come in, and from one address. */
export const ACCESS_LIMIT = { max: 120, timeWindow: MINUTE_MS };

/** Nothing that such a route takes is long. In bytes. */
export const ACCESS_BODY_LIMIT = 8 * 1024;

/** A request that has not come in whole by then is let go: whoever sends a byte now and then must not keep connections. */
export const REQUEST_MS = 60_000;

/** Who is counted together: on the bus a key, wherever it asks from; otherwise a place. */
export function limitedAs({ ip, caller }: Pick<FastifyRequest, 'ip' | 'caller'>): string {
  return caller?.by === 'bus' ? `key ${caller.actor.id}` : placeOf(ip);
}

export function tooMany({ after, ttl }: { readonly after: string; readonly ttl: number }): HttpProblem {
  return new HttpProblem(429, 'RATE_LIMITED', `too many attempts; try again in ${after}`, {
    retryAfterSeconds: Math.ceil(ttl / 1000),
  });
}
