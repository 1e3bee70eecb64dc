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
import { HttpProblem } from './problem.ts';

const BODY_LIMIT = 1024 * 1024;

const PAGE_POLICY = {
  'default-src': ["'self'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'frame-ancestors': ["'none'"],
  'form-action': ["'self'"],
};

/** The HTTP edge, composed and not yet listening. */
export async function buildApp(edge: Edge): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: edge.log,
    // A line per request tells an operator nothing; what goes wrong is logged where it does.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
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
    // It speaks plain HTTP on loopback; a proxy with TLS sets this itself.
    strictTransportSecurity: false,
  });
  guard(app, edge);
  await app.register(rateLimit, {
    global: false,
    errorResponseBuilder: (_request, { after, ttl }) =>
      new HttpProblem(429, 'RATE_LIMITED', `too many attempts; try again in ${after}`, {
        retryAfterSeconds: Math.ceil(ttl / 1000),
      }),
  });
  app.addHook('preClose', async () => edge.live.close());
  await addDocs(app, edge);
  addOperations(app, edge);
  await app.register(
    async (scope) => {
      const api = scope.withTypeProvider<ZodTypeProvider>();
      api.setValidatorCompiler(validatorCompiler);
      api.setSerializerCompiler(serializerCompiler);
      addRoutes(api, edge);
    },
    { prefix: '/api/v1' },
  );
  await addDashboard(app, edge);
  return app;
}
