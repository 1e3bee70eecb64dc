import type { FastifyInstance } from 'fastify';
import { HttpProblem, type WrongPlace } from './problem.ts';

/** No body that is asked for is half as deep; one that is deeper is made to break something. */
const DEEPEST = 32;

const DEEP = `holds more than ${DEEPEST} levels within one another`;
const HALF = 'holds half a character (a surrogate without its other half)';

/**
 * JSON can spell half a character (`"\ud800"`), which nothing can record or send on, and nest without end. Both are refused
 * at the door, once for all routes.
 */
export function refuseOddities(api: Pick<FastifyInstance, 'addHook'>): void {
  api.addHook('preValidation', async ({ body }) => {
    const wrong = oddity(body, []);
    if (wrong === null) return;
    const { path, message } = wrong;
    throw new HttpProblem(
      400,
      'INVALID_REQUEST',
      `the body is not as it should be: ${path}: ${message}`.slice(0, 500),
      {
        errors: [wrong],
      },
    );
  });
}

function oddity(value: unknown, path: readonly string[]): WrongPlace | null {
  if (typeof value === 'string') return value.isWellFormed() ? null : { path: path.join('.'), message: HALF };
  if (typeof value !== 'object' || value === null) return null;
  if (path.length >= DEEPEST) return { path: path.slice(0, 3).join('.'), message: DEEP };
  for (const [name, member] of Object.entries(value)) {
    if (!name.isWellFormed()) return { path: [...path, name.toWellFormed()].join('.'), message: HALF };
    const wrong = oddity(member, [...path, name]);
    if (wrong !== null) return wrong;
  }
  return null;
}
