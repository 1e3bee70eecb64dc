import type { FastifySchema, RouteOptions } from 'fastify';
import type { Role } from '../../domain/people/role.ts';
import type { OnBus } from '../http/onBus.ts';

/** Something that programs can ask for on the bus, and the least role that may. */
interface Declared {
  readonly bus: OnBus;
  readonly role: Role;
  readonly summary: string;
}

/** It is asked of a route of REST. */
export interface RouteOperation extends Declared {
  readonly route: {
    readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
    /** As `/api/v1/agents/:agentId`. */
    readonly url: string;
    /** The names in the address. */
    readonly params: readonly string[];
    /** Where all other fields belong; null: there are none. */
    readonly rest: 'body' | 'query' | null;
  };
}

/** It is on the bus alone. Throws HttpProblem. */
export interface OwnOperation extends Declared {
  readonly answer: (fields: Readonly<Record<string, unknown>>) => Promise<unknown>;
}

export type Operation = RouteOperation | OwnOperation;

/** By kind and name. Throws when two are called the same. */
export type Operations = Readonly<Record<OnBus['kind'], ReadonlyMap<string, Operation>>>;

/** What there is to ask for: the routes that say so, and what is on the bus alone. */
export function operationsOf(routes: readonly RouteOptions[], own: readonly OwnOperation[]): Operations {
  const found = { command: new Map<string, Operation>(), query: new Map<string, Operation>() };
  for (const operation of [...routes.flatMap(onRoute), ...own]) {
    const { kind, name } = operation.bus;
    if (found[kind].has(name)) throw new Error(`two operations on the bus are called ${name}`);
    found[kind].set(name, operation);
  }
  return found;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** The route of a HEAD is made beside that of its GET, and says the same. */
function onRoute({ method, url, schema, config }: RouteOptions): readonly RouteOperation[] {
  const plain = METHODS.find((each) => each === method);
  if (config?.bus === undefined || plain === undefined) return [];
  if (config.role === undefined) throw new Error(`${url} is on the bus and says no role`);
  const params = [...url.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  const route = { method: plain, url, params, rest: restOf(schema) };
  return [{ bus: config.bus, role: config.role, summary: schema?.summary ?? '', route }];
}

function restOf(schema: FastifySchema | undefined): 'body' | 'query' | null {
  if (schema?.body !== undefined) return 'body';
  return schema?.querystring === undefined ? null : 'query';
}
