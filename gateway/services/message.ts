import type { InjectOptions } from 'fastify';
import { BODY_LIMIT } from '../http/app.ts';
import { HttpProblem } from '../http/problem.ts';
import type { RouteOperation } from './operations.ts';

/** What a message says, by name: what REST has in path, query and body stands side by side. */
export type Fields = Readonly<Record<string, unknown>>;

/** A JSON object; nothing at all is an empty one. Throws HttpProblem 400 or 413. */
export function fieldsIn(data: Uint8Array): Fields {
  if (data.length > BODY_LIMIT) throw new HttpProblem(413, 'BODY_TOO_LARGE', 'a message may have at most 1 MB');
  if (data.length === 0) return {};
  const value = json(data);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new HttpProblem(400, 'INVALID_REQUEST', 'a message must be a JSON object', {
    errors: [{ path: '', message: 'not a JSON object' }],
  });
}

function json(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data).toString('utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new HttpProblem(400, 'INVALID_JSON', 'the message is not valid JSON', { cause: error });
  }
}

/**
 * The request that REST would have been sent. What it says of each field is judged by the route; here only what cannot be
 * written as such a request is refused. Throws HttpProblem 400.
 */
export function requestOf(
  { route }: RouteOperation,
  fields: Fields,
): Pick<InjectOptions, 'method' | 'url' | 'payload'> {
  const { method, params, rest } = route;
  const path = route.url.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(inPath(name, fields[name])));
  const others = Object.entries(fields).filter(([name]) => !params.includes(name));
  if (rest === 'body') return { method, url: path, payload: JSON.stringify(Object.fromEntries(others)) };
  const [unknown] = rest === null ? others : [];
  if (unknown !== undefined) throw unknownField(unknown[0]);
  const query = new URLSearchParams(others.map(([name, value]) => [name, inQuery(name, value)]));
  return { method, url: query.size === 0 ? path : `${path}?${query.toString()}` };
}

export function unknownField(name: string, message = 'there is no field of this name'): HttpProblem {
  return refused('UNKNOWN_FIELD', name, message);
}

/** A dot or two would be another address. */
function inPath(name: string, value: unknown): string {
  if (value === undefined) throw refused('INVALID_REQUEST', name, 'is needed');
  if (typeof value === 'string' && !/^\.{0,2}$/.test(value) && value.isWellFormed()) return value;
  throw refused('INVALID_REQUEST', name, 'must be a text that can be a name');
}

function inQuery(name: string, value: unknown): string {
  if (typeof value === 'string' && value.isWellFormed()) return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw refused('INVALID_REQUEST', name, 'must be a text or a number');
}

function refused(code: string, name: string, message: string): HttpProblem {
  const path = name.toWellFormed().slice(0, 100);
  return new HttpProblem(400, code, `the message is not as it should be: ${path}: ${message}`, {
    errors: [{ path, message }],
  });
}
