import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import type { Edge } from './edge.ts';
import { notFound } from './problem.ts';

const ASSETS = `${join('/', 'assets')}/`;

/** The page's shell is open: it holds no data. What it shows comes from the API, which is not. */
export async function addDashboard(app: FastifyInstance, { dashboard }: Edge): Promise<void> {
  await app.register(async (shell) => {
    shell.addHook('onRoute', (route) => {
      route.config = { ...route.config, open: true };
      route.schema = { ...route.schema, hide: true };
    });
    if (!existsSync(join(dashboard, 'index.html'))) {
      shell.get('/', () => {
        throw notFound('DASHBOARD_MISSING', 'the dashboard is not built; `npm start` builds it');
      });
      return;
    }
    await shell.register(fastifyStatic, {
      root: dashboard,
      cacheControl: false,
      // Names of assets contain their hash; everything else must be asked for again.
      setHeaders(reply, path) {
        const hashed = path.slice(dashboard.length).startsWith(ASSETS);
        reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  });
}
