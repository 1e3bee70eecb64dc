import { AsyncLocalStorage } from 'node:async_hooks';
import { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest, InjectOptions } from 'fastify';
import type { Caller } from '../auth/caller.ts';
import type { OnBus } from './onBus.ts';

/** What this process asks of its own routes: for whom, and which one is meant. */
export interface InsideAsking {
  readonly caller: Caller;
  readonly bus: OnBus;
}

/** Beside the request, never in it: whoever sends one over a connection has no way to put anything here. */
const asking = new AsyncLocalStorage<InsideAsking>();

/** Asks a route in this process: role, schema, idempotency, metrics and problems are those of REST. */
export async function askInside(app: FastifyInstance, inside: InsideAsking, request: InjectOptions) {
  // What `inject` gives begins when it is awaited, so that has to be in here too.
  return await asking.run(inside, async () => await app.inject(request));
}

/** For whom this process asks; null for what came over a connection, which has to show who it is. */
export function askedInside({ raw }: Pick<FastifyRequest, 'raw'>): InsideAsking | null {
  return raw.socket instanceof Socket ? null : (asking.getStore() ?? null);
}
