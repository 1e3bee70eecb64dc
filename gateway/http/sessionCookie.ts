import type { FastifyReply, FastifyRequest } from 'fastify';
import { LONGEST_DAYS } from '../auth/browserSessions.ts';
import type { Access } from '../auth/access.ts';

/**
 * Where there is TLS, browsers take a cookie of this name only over TLS, for exactly this host: nobody who speaks for a
 * neighbouring name or without TLS can put another one in its place.
 */
function nameOf({ isOverTls }: FastifyRequest): string {
  return isOverTls ? '__Host-muster' : 'muster';
}

/** Not for scripts, sent by our own page alone, and over TLS only where there is TLS. */
function attributes({ isOverTls }: FastifyRequest) {
  return { path: '/', httpOnly: true, sameSite: 'strict', secure: isOverTls } as const;
}

/** What the browser shows of a session, if anything. */
export function sessionCookieOf(request: FastifyRequest): string | undefined {
  return request.cookies[nameOf(request)];
}

/** Signs the browser in. A session that it had before ends: a new sign-in is a new cookie. */
export async function beginSession(
  { sessions }: Access,
  personId: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const cookie = await sessions.begin(personId, request.headers['user-agent']);
  const { caller } = request;
  if (caller !== null && caller.sessionId !== null) await sessions.end(caller.actor.id, caller.sessionId);
  reply.setCookie(nameOf(request), cookie, { ...attributes(request), maxAge: LONGEST_DAYS * 86_400 });
}

export function clearSession(request: FastifyRequest, reply: FastifyReply): void {
  reply.clearCookie(nameOf(request), attributes(request));
}
