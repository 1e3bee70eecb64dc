import type { FastifyInstance } from 'fastify';
import type { Edge } from './edge.ts';

/** What watches the gateway from outside asks here. */
export function addOperations(app: FastifyInstance, { core, metrics, notReady }: Edge): void {
  const open = { config: { open: true }, schema: { hide: true } };
  app.get('/healthz', open, () => ({ status: 'alive' }));
  app.get('/readyz', open, (_request, reply) => {
    const readOnly = core.replicas.find(({ replica }) => replica.readOnly !== null)?.replica.readOnly;
    const why = notReady() ?? readOnly?.message ?? null;
    if (why === null) return { status: 'ready' };
    return reply.code(503).header('retry-after', '2').send({ status: 'not ready', why });
  });
  app.get('/metrics', { schema: { hide: true }, config: { role: 'viewer' } }, async (_request, reply) => {
    const text = await metrics.registry.metrics();
    return reply.type(metrics.registry.contentType).send(text);
  });
}
