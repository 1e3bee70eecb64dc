import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpProblem } from './problem.ts';

/** A version as an ETag: `"17"`. */
export function setEtag(reply: FastifyReply, version: number): void {
  reply.header('etag', `"${version}"`);
}

/** The version that `If-Match` asks for; null when the request sets no condition. */
export function ifMatch({ headers }: FastifyRequest): number | null {
  const text = headers['if-match'];
  if (text === undefined || text.trim() === '*') return null;
  const version = /^\s*(?:W\/)?"(\d{1,15})"\s*$/.exec(text)?.[1];
  if (version !== undefined) return Number(version);
  const path = 'If-Match';
  throw new HttpProblem(400, 'INVALID_REQUEST', 'If-Match must be the ETag of an earlier answer, such as "17"', {
    errors: [{ path, message: 'not an ETag of this API' }],
  });
}
