import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { requestSubjectShown } from '../../infra/names.ts';
import type { Edge } from './edge.ts';
import { targetOf } from './onBus.ts';

/** The page's own scripts are files; its styles are partly inline, which this exception allows here and nowhere else. */
const DOCS_POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/** OpenAPI 3.1 at /openapi.json, made from the routes' own schemas, and a page for it at /docs. Before the routes. */
export async function addDocs(app: FastifyInstance, { version }: Edge): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Muster', version, description: 'Agents, images, sessions and the log of everything.' },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }],
    },
    transform: withAccess,
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(async (page) => {
    page.addHook('onRoute', (route) => {
      route.config = { ...route.config, role: 'viewer' };
    });
    const uiConfig = { showExtensions: true };
    await page.register(swaggerUi, { routePrefix: '/docs', staticCSP: DOCS_POLICY, uiConfig });
  });
  app.get('/openapi.json', { schema: { hide: true }, config: { role: 'viewer' } }, () => app.swagger());
}

/** Each operation says the least role that may use it (those that are open need no key), and where it is on the bus. */
const withAccess: typeof jsonSchemaTransform = (input) => {
  const { url, schema } = jsonSchemaTransform(input);
  const { role, open, bus } = input.route.config ?? {};
  const access = open === true ? { security: [] } : { 'x-role': role };
  const place = bus === undefined ? {} : { 'x-muster-subject': requestSubjectShown(bus.name, targetOf(bus)) };
  return { url, schema: { ...schema, ...access, ...place } };
};
