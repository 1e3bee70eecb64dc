import type { FastifyInstance, FastifyRequest } from 'fastify';
import { COOKIE_NAME } from '../auth/cookie.ts';
import type { Caller } from '../auth/access.ts';
import type { Edge } from './edge.ts';
import { HttpProblem } from './problem.ts';

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Stands before every route, those that do not exist included. Host first, so that a foreign name that points here
 * (DNS rebinding) learns nothing; then who asks; then, for a change asked by cookie, whether our own page asks.
 */
export function guard(app: FastifyInstance, edge: Edge): void {
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request) => {
    requireOwnHost(request, edge.authority);
    const open = request.routeOptions.config?.open === true;
    const caller = callerOf(request, edge);
    request.caller = caller;
    if (caller === null && !open) throw unauthorized(request);
    const byBrowser = caller?.by === 'cookie' || (open && isFromBrowser(request));
    if (byBrowser && !READING.has(request.method)) requireOwnPage(request);
  });
}

/** The caller of a route that is not open. */
export function callerOfRoute(request: FastifyRequest): Caller {
  if (request.caller === null) throw unauthorized(request);
  return request.caller;
}

/** A key that is shown and wrong is refused also when a good cookie comes with it. */
function callerOf(request: FastifyRequest, { access }: Edge): Caller | null {
  const { authorization } = request.headers;
  if (authorization !== undefined) return access.byKey(authorization);
  const cookie = request.cookies[COOKIE_NAME];
  return cookie === undefined ? null : access.byCookie(cookie);
}

function unauthorized({ headers }: FastifyRequest): HttpProblem {
  return headers.authorization === undefined
    ? new HttpProblem(401, 'SIGN_IN_NEEDED', 'sign in, or send a key; `npx muster sign-in` prints a new sign-in link')
    : new HttpProblem(401, 'KEY_WRONG', 'the key is not valid; it is in MUSTER_ADMIN_KEY or in admin.key of the data');
}

function requireOwnHost(request: FastifyRequest, authority: string): void {
  const host = request.headers.host ?? '';
  if (host === authority || LOOPBACK_HOST.test(host)) return;
  throw new HttpProblem(421, 'HOST_REFUSED', `this gateway is ${authority}, not "${host.slice(0, 100)}"`);
}

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

function isFromBrowser({ headers }: FastifyRequest): boolean {
  return headers['sec-fetch-site'] !== undefined || headers.origin !== undefined;
}

/** Browsers set these headers themselves; a page elsewhere cannot forge them. */
function requireOwnPage({ headers }: FastifyRequest): void {
  const site = headers['sec-fetch-site'];
  const own = site === undefined ? headers.origin === `http://${headers.host ?? ''}` : site === 'same-origin';
  if (own) return;
  throw new HttpProblem(403, 'ORIGIN_REFUSED', 'a change by cookie must come from this very page; scripts use a key');
}
