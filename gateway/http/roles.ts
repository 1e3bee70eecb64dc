import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { isEnough, type Role } from '../../domain/people/role.ts';
import type { Caller } from '../auth/caller.ts';
import type { OnBus } from './onBus.ts';
import { HttpProblem } from './problem.ts';

/**
 * Said by every route of itself: who may use it. Nobody has to be signed in where it is `open`. With `bus` programs may ask
 * for it on the bus as well; without, they cannot.
 */
export interface RouteAccess {
  readonly role?: Role;
  readonly open?: boolean;
  readonly bus?: OnBus;
}

/** Makes the application refuse to start when a route says nothing of who may use it. Before the routes. */
export function requireDeclarations(app: FastifyInstance): void {
  const routes: RouteOptions[] = [];
  app.decorate('allRoutes', routes);
  app.addHook('onRoute', (route) => {
    routes.push(route);
  });
  app.addHook('onReady', async () => {
    const silent = routes.filter(({ config }) => config?.role === undefined && config?.open !== true);
    if (silent.length === 0) return;
    const names = silent.map(({ method, url }) => `${String(method)} ${url}`).join(', ');
    throw new Error(`these routes say no role and are not open: ${names}`);
  });
}

/** The one place where a role is looked at. A route that does not exist says none: whoever is signed in may learn that. */
export function requireRole({ routeOptions }: FastifyRequest, { role: held }: Caller): void {
  const { role: needed } = routeOptions.config;
  if (needed !== undefined) requireEnough(needed, held);
}

/** Also for what is asked elsewhere than by HTTP. */
export function requireEnough(needed: Role, held: Role): void {
  if (isEnough(held, needed)) return;
  throw new HttpProblem(403, 'ROLE_NEEDED', `this needs the role ${needed}; yours is ${held}`, {
    extra: { needed, held },
  });
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route there is, those of plugins too. */
    readonly allRoutes: readonly RouteOptions[];
  }
}
