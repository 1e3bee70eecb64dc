import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../auth/caller.ts';
import type { Edge } from './edge.ts';
import { askedInside, type InsideAsking } from './inside.ts';
import { HttpProblem, notFound } from './problem.ts';
import { requireRole } from './roles.ts';
import { sessionCookieOf } from './sessionCookie.ts';

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Stands before every route, those that do not exist included. Host first, so that a foreign name that points here
 * (DNS rebinding) learns nothing; then who asks; then, for a change asked by cookie, whether our own page asks; then
 * whether their role is enough. What this process asks itself brings its caller along.
 */
export function guard(app: FastifyInstance, edge: Edge): void {
  const publicHost = new URL(edge.origin).host;
  const isPublicOverTls = edge.origin.startsWith('https:');
  app.decorateRequest('caller', null);
  app.decorateRequest('isOverTls', false);
  app.addHook('onRequest', async (request) => {
    const inside = askedInside(request);
    if (inside !== null) {
      admit(request, inside);
      return;
    }
    const host = (request.headers.host ?? '').toLowerCase();
    if (host !== publicHost) requireOwnHost(host, edge);
    request.isOverTls = request.protocol === 'https' || (isPublicOverTls && host === publicHost);
    const open = request.routeOptions.config?.open === true;
    const caller = callerOf(request, edge);
    request.caller = caller;
    if (caller === null && !open) throw unauthorized(request);
    const byBrowser = caller?.by === 'cookie' || (open && isFromBrowser(request));
    if (byBrowser && !READING.has(request.method)) requireOwnPage(request, edge);
    if (caller !== null) requireRole(request, caller);
  });
  // A body may take as long as its sender likes, who may have been shown out meanwhile.
  app.addHook('preHandler', async (request) => {
    const { caller } = request;
    if (caller === null || request.routeOptions.config?.open === true) return;
    const now = edge.access.again(caller);
    if (now === null) throw unauthorized(request);
    requireRole(request, now);
  });
}

/** Whatever was sent, no other route is reached than the one that was meant. */
function admit(request: FastifyRequest, { caller, bus }: InsideAsking): void {
  if (request.routeOptions.config?.bus !== bus) throw notFound('ROUTE_UNKNOWN', `there is no ${bus.name} of this kind`);
  request.caller = caller;
  requireRole(request, caller);
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
  const cookie = sessionCookieOf(request);
  return cookie === undefined ? null : access.byCookie(cookie);
}

function unauthorized({ headers }: FastifyRequest): HttpProblem {
  return headers.authorization === undefined
    ? new HttpProblem(401, 'SIGN_IN_NEEDED', 'sign in, or send a key; `npx muster sign-in` prints a new sign-in link')
    : new HttpProblem(401, 'KEY_WRONG', 'the key is not valid: it is wrong, has expired or was revoked');
}

function requireOwnHost(host: string, { authority, origin }: Edge): void {
  if (host === authority || LOOPBACK_HOST.test(host)) return;
  const detail = `this gateway is ${origin}, not "${host.slice(0, 100)}"; MUSTER_PUBLIC_URL says where it is reached`;
  throw new HttpProblem(421, 'HOST_REFUSED', detail);
}

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

function isFromBrowser({ headers }: FastifyRequest): boolean {
  return headers['sec-fetch-site'] !== undefined || headers.origin !== undefined;
}

/** Browsers set these headers themselves; a page elsewhere cannot forge them. */
function requireOwnPage({ headers, protocol }: FastifyRequest, { origin }: Edge): void {
  const site = headers['sec-fetch-site'];
  const isOwn = headers.origin === origin || headers.origin === `${protocol}://${headers.host ?? ''}`;
  const own = site === undefined ? isOwn : site === 'same-origin';
  if (own) return;
  throw new HttpProblem(403, 'ORIGIN_REFUSED', 'a change by cookie must come from this very page; scripts use a key');
}
