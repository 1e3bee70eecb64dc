import fastify from 'fastify';
import test, { type ExecutionContext } from 'ava';
import { agentPassword, newAgentSecret } from '../infra/agentIdentity.ts';
import { requireDeclarations } from '../gateway/http/roles.ts';
import { codeOf, memoryApp, type Asking, type MemoryApp } from './support/memoryApp.ts';

/** Who may use which route. A route that is not in this table fails the test, and so does one that is gone. */
const ROUTES: Readonly<Record<string, readonly string[]>> = {
  open: ['POST /api/v1/sign-in', 'POST /api/v1/set-password', 'GET /healthz', 'GET /readyz', 'GET /'],
  viewer: [
    'GET /api/v1/me',
    'PUT /api/v1/me/password',
    'GET /api/v1/me/sessions',
    'DELETE /api/v1/me/sessions',
    'DELETE /api/v1/me/sessions/:sessionId',
    'POST /api/v1/sign-out',
    'GET /api/v1/agents',
    'GET /api/v1/agents/:agentId',
    'GET /api/v1/agents/:agentId/capacity',
    'GET /api/v1/agents/:agentId/events',
    'GET /api/v1/agents/:agentId/host',
    'GET /api/v1/agents/:agentId/utilization',
    'GET /api/v1/events',
    'GET /api/v1/images',
    'GET /api/v1/images/:imageId',
    'GET /api/v1/live',
    'GET /api/v1/logs',
    'GET /api/v1/logs/:log/verification',
    'GET /api/v1/sessions',
    'GET /api/v1/sessions/:sessionId',
    'GET /api/v1/sessions/:sessionId/placement',
    'GET /api/v1/sessions/:sessionId/events',
    'GET /api/v1/zones',
    'GET /docs/',
    'GET /docs/json',
    'GET /docs/yaml',
    'GET /docs/static/*',
    'GET /docs/static/index.html',
    'GET /docs/static/swagger-initializer.js',
    'GET /metrics',
    'GET /openapi.json',
  ],
  operator: [
    'PATCH /api/v1/agents/:agentId',
    'POST /api/v1/agents/:agentId/enable',
    'POST /api/v1/agents/:agentId/disable',
    'POST /api/v1/agents/:agentId/declare-lost',
    'GET /api/v1/agents/:agentId/prune',
    'POST /api/v1/agents/:agentId/prune',
    'POST /api/v1/placement/plan',
    'POST /api/v1/sessions',
    'DELETE /api/v1/sessions/:sessionId',
    'GET /api/v1/sessions/:sessionId/logs',
  ],
  admin: [
    'POST /api/v1/agents/:agentId/approve',
    'POST /api/v1/agents/:agentId/revoke',
    'DELETE /api/v1/agents/:agentId',
    'PUT /api/v1/images/:imageId',
    'DELETE /api/v1/images/:imageId',
    'POST /api/v1/logs/:log/seal',
    'POST /api/v1/sign-in-links',
    'POST /api/v1/first-account',
    'GET /api/v1/people',
    'POST /api/v1/people',
    'PATCH /api/v1/people/:personId',
    'DELETE /api/v1/people/:personId',
    'POST /api/v1/people/:personId/sign-in-link',
    'DELETE /api/v1/people/:personId/browser-sessions',
    'GET /api/v1/keys',
    'POST /api/v1/keys',
    'DELETE /api/v1/keys/:keyId',
    'GET /api/v1/manager-tokens',
    'POST /api/v1/manager-tokens',
    'DELETE /api/v1/manager-tokens/:tokenId',
  ],
};

const ROLES = ['viewer', 'operator', 'admin'];

interface Row {
  readonly name: string;
  readonly method: string;
  readonly url: string;
  readonly needed: string;
}

const rows: readonly Row[] = Object.entries(ROUTES).flatMap(([needed, names]) =>
  names.map((name) => {
    const [method = '', url = ''] = name.split(' ');
    return { name, method, url, needed };
  }),
);

test('every route says who may use it, as the table of this test does; a HEAD is as its GET', async (t) => {
  const { app } = await memoryApp(t);
  const found = app.allRoutes.flatMap(({ method, url, config }) =>
    [method].flat().map((each) => `${each} ${url}: ${config?.open === true ? 'open' : (config?.role ?? 'NOTHING')}`),
  );
  const wanted = rows.map(({ name, needed }) => `${name}: ${needed}`);
  t.deepEqual([...new Set(found.filter((line) => !line.startsWith('HEAD ')))].toSorted(), wanted.toSorted());
  for (const line of found.filter((each) => each.startsWith('HEAD '))) {
    const get = line.replace('HEAD ', 'GET ');
    t.true(wanted.includes(get) || wanted.includes(get.replace(': ', '/: ')), line);
  }
});

test('a route that says nothing of who may use it keeps the gateway from starting', async (t) => {
  const app = fastify();
  requireDeclarations(app);
  app.get('/said', { config: { role: 'viewer' } }, () => 'x');
  app.get('/open', { config: { open: true } }, () => 'x');
  app.post('/forgotten', () => 'x');
  await t.throwsAsync(async () => await app.ready(), { message: /POST \/forgotten/ });
});

/** Each kind of caller, and what it shows with each request: a new browser session, since a route may end it. */
async function callers(t: ExecutionContext, muster: MemoryApp) {
  const key = async (role: string, expiresAt: string | null = null) => {
    const body = { name: `a ${role} program`, role, expiresAt };
    return await muster.admin<{ readonly key: { readonly keyId: string }; readonly secret: string }>(
      'POST',
      '/keys',
      body,
    );
  };
  const soon = new Date(Date.now() + 60_000).toISOString();
  const [expired, revoked] = [await key('admin', soon), await key('admin')];
  muster.jump(120_000);
  await muster.admin('DELETE', `/keys/${revoked.key.keyId}`, { reason: 'a test' });
  const { text: token } = await muster.admin<{ readonly text: string }>('POST', '/manager-tokens', {});
  const asked: [string, () => Promise<Asking>][] = [
    // What lets an agent into the bus opens nothing here.
    ['manager token as key', async () => ({ key: token })],
    ["agent's password as key", async () => ({ key: agentPassword(token, newAgentSecret()) })],
    ['nobody', async () => ({})],
    ['wrong key', async () => ({ key: `mk_${'a'.repeat(12)}_${'x'.repeat(43)}` })],
    ["another's secret", async () => ({ key: revoked.secret.replace(/mk_\w{12}/, `mk_${expired.key.keyId}`) })],
    ['expired key', async () => ({ key: expired.secret })],
    ['revoked key', async () => ({ key: revoked.secret })],
    ['forged cookie', async () => ({ cookie: `muster=v2.${'x'.repeat(43)}` })],
  ];
  for (const role of ROLES) {
    const { secret } = await key(role);
    asked.push([`${role} key`, async () => ({ key: secret })]);
    await muster.admin('POST', '/people', { personId: `${role}-1`, name: role, role });
    asked.push([role, async () => ({ cookie: `muster=${await muster.access.sessions.begin(`${role}-1`, '')}` })]);
  }
  t.is(asked.length, 14);
  return asked;
}

/** What an allowed caller meets is none of this test's business, as long as the route itself answers. */
function outcome(status: number, body: unknown): string {
  const { code } = (typeof body === 'object' && body !== null ? body : {}) as { readonly code?: string };
  if (status === 401 || (status === 403 && code === 'ROLE_NEEDED')) return `${status} ${code ?? ''}`;
  return status < 500 ? 'in' : `${status}`;
}

function expectedFor(caller: string, needed: string): string {
  if (needed === 'open') return 'in';
  const [role = ''] = caller.split(' ');
  if (!ROLES.includes(role))
    return caller.includes('key') || caller.includes('secret') ? '401 KEY_WRONG' : '401 SIGN_IN_NEEDED';
  return ROLES.indexOf(role) >= ROLES.indexOf(needed) ? 'in' : '403 ROLE_NEEDED';
}

test('each route answers exactly those whose role is enough', async (t) => {
  const muster = await memoryApp(t);
  const asked = await callers(t, muster);
  const wrong: string[] = [];
  let tried = 0;
  for (const { name, method, url, needed } of rows) {
    // An open stream would never end, so it is asked for a log that there is not.
    const path = `/${url.replaceAll(/:\w+|\*/g, 'some')}${url.endsWith('/live') ? '?view=events&log=none' : ''}`;
    for (const [caller, shown] of asked) {
      const address = `10.0.${tried >> 8}.${tried & 255}`;
      const { status, body } = await muster.ask(method, path, { ...(await shown()), address });
      const [got, wanted] = [outcome(status, body), expectedFor(caller, needed)];
      const open = needed === 'open' && (status === 401 || status === 400 || status === 404);
      if (got !== wanted && !open) wrong.push(`${name.padEnd(60)} ${caller.padEnd(18)} ${got}, not ${wanted}`);
      tried += 1;
    }
  }
  t.is(tried, rows.length * asked.length);
  t.is(wrong.join('\n'), '');
});

test('a role that is not enough is told with the one that is needed, and the document says it of every operation', async (t) => {
  const muster = await memoryApp(t);
  await muster.admin('POST', '/people', { personId: 'vera', name: 'Vera', role: 'viewer' });
  const cookie = `muster=${await muster.access.sessions.begin('vera', undefined)}`;
  const refused = await muster.ask('DELETE', '/images/one', { cookie });
  t.like(refused.body, { status: 403, code: 'ROLE_NEEDED', needed: 'admin', held: 'viewer' });
  t.is((await muster.ask('GET', '/nothing-here', { cookie })).status, 404);
  t.is((await muster.ask('GET', '/nothing-here')).status, 401);
  const { paths } = await muster.admin<{
    readonly paths: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  }>('GET', '//openapi.json');
  const said = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const open = Array.isArray(operation['security']) && operation['security'].length === 0;
      return `${method.toUpperCase()} ${path}: ${open ? 'open' : String(operation['x-role'])}`;
    }),
  );
  const documented = rows.filter(({ url }) => url.startsWith('/api/'));
  t.deepEqual(
    said.toSorted(),
    documented.map(({ name, needed }) => `${name.replaceAll(/:(\w+)/g, '{$1}')}: ${needed}`).toSorted(),
  );
});

test('no route lets a page elsewhere change anything with the cookie of whoever looks at it', async (t) => {
  const muster = await memoryApp(t);
  await muster.admin('POST', '/people', { personId: 'anna', name: 'Anna', role: 'admin' });
  const cookie = `muster=${await muster.access.sessions.begin('anna', undefined)}`;
  const changing = rows.filter(({ method }) => method !== 'GET');
  t.true(changing.length > 25);
  for (const { name, method, url } of changing) {
    for (const site of ['cross-site', 'same-site', 'none']) {
      const headers = { origin: 'http://127.0.0.1:3000', 'sec-fetch-site': site };
      const answer = await muster.ask(method, `/${url.replaceAll(/:\w+/g, 'some')}`, { cookie, headers, body: {} });
      t.deepEqual(codeOf(answer), [403, 'ORIGIN_REFUSED'], `${name} ${site}`);
    }
  }
});
