import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastify, { LogController, type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { addRoutes } from './api.ts';
import { addDashboard } from './dashboard.ts';
import { addDocs } from './docs.ts';
import type { Edge } from './edge.ts';
import { answerErrors } from './errors.ts';
import { guard } from './guard.ts';
import { addOperations } from './operations.ts';
import { limitedAs, REQUEST_MS, tooMany } from './rateLimits.ts';
import { requireDeclarations } from './roles.ts';
import type { TlsListener } from './tls.ts';
import { endConnections } from './stopping.ts';
import { refuseOddities } from './wellFormed.ts';

/** Bytes; also of a message on the bus. */
export const BODY_LIMIT = 1024 * 1024;

const PAGE_POLICY = {
  'default-src': ["'self'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'frame-ancestors': ["'none'"],
  // Every form is sent by script: without it nothing is, least of all a password in an address.
  'form-action': ["'none'"],
};

/** Browsers come back over TLS for a year; other names below this one are somebody else's. */
const HSTS = { maxAge: 31_536_000, includeSubDomains: false };

/** The HTTP edge, composed and not yet listening. */
export async function buildApp(edge: Edge, tls: TlsListener | null = null): Promise<FastifyInstance> {
  const app = fastify({
    ...(tls === null ? {} : { serverFactory: tls.serverFactory }),
    loggerInstance: edge.log,
    // A line per request tells an operator nothing; what goes wrong is logged where it does.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_MS,
    // Ids and cursors are short; what is longer meets a schema that says so.
    routerOptions: { maxParamLength: 1000 },
    // Idle keep-alive connections must not hold up a stop.
    forceCloseConnections: 'idle',
  });
  app.removeContentTypeParser('text/plain');
  answerErrors(app);
  await app.register(cookie);
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: PAGE_POLICY },
    // A proxy with TLS in front of plain HTTP sets this itself.
    strictTransportSecurity: tls === null ? false : HSTS,
  });
  requireDeclarations(app);
  guard(app, edge);
  await app.register(rateLimit, {
    global: false,
    keyGenerator: limitedAs,
    errorResponseBuilder: (_request, context) => tooMany(context),
  });
  endConnections(app, tls !== null);
  app.addHook('preClose', async () => {
    edge.output.close();
    edge.prune.close();
    edge.live.close();
  });
  await addDocs(app, edge);
  addOperations(app, edge);
  await app.register(
    async (scope) => {
      const api = scope.withTypeProvider<ZodTypeProvider>();
      api.setValidatorCompiler(validatorCompiler);
      api.setSerializerCompiler(serializerCompiler);
      refuseOddities(api);
      // What one person is shown is nobody else's, on a shared machine either.
      api.addHook('onRequest', async (_request, reply) => {
        reply.header('cache-control', 'no-store');
      });
      addRoutes(api, edge);
    },
    { prefix: '/api/v1' },
  );
  await addDashboard(app, edge);
  return app;
}
