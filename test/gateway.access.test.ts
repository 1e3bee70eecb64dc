import { request as httpRequest } from 'node:http';
import test from 'ava';
import { openStream } from './support/sse.ts';
import { until } from './support/until.ts';
import { startGateway, type ProblemBody, type TestGateway } from './support/gateway.ts';

/** Nothing answers without a key or a cookie, except health, the page's shell and signing in. */

const OPEN = new Set(['POST /api/v1/sign-in', 'POST /api/v1/set-password']);

interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

async function routesOf(muster: TestGateway): Promise<readonly { readonly method: string; readonly path: string }[]> {
  const { paths, openapi } = (await (await fetch(`${muster.url}/openapi.json`, { headers: key })).json()) as OpenApi;
  if (!openapi.startsWith('3.1')) throw new Error(openapi);
  const documented = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path: path.replaceAll(/\{\w+\}/g, 'some') })),
  );
  const others = ['/metrics', '/docs', '/docs/', '/docs/json', '/docs/static/index.html', '/openapi.json'];
  return [...documented, ...others.map((path) => ({ method: 'GET', path }))];
}

const key = { authorization: 'Bearer a-key-of-the-gateway-tests' };

async function ask(muster: TestGateway, method: string, path: string, headers: Record<string, string>) {
  const response = await fetch(`${muster.url}${path}`, { method, headers });
  const text = await response.text();
  return { status: response.status, code: text.startsWith('{') ? (JSON.parse(text) as ProblemBody).code : text };
}

async function signIn(muster: TestGateway, link = ''): Promise<Response> {
  const token = new URL(link).hash.slice('#sign-in='.length);
  return await fetch(`${muster.url}/api/v1/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
}

function cookieOf(response: Response): string {
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

test('no route answers without a key, with a wrong key, or to a changed cookie', async (t) => {
  const muster = await startGateway(t);
  const good = cookieOf(await signIn(muster, muster.gateway.signInUrl));
  const routes = await routesOf(muster);
  t.true(routes.length > 45);
  for (const { method, path } of routes) {
    const name = `${method} ${path}`;
    if (OPEN.has(name)) continue;
    t.deepEqual(await ask(muster, method, path, {}), { status: 401, code: 'SIGN_IN_NEEDED' }, name);
    const wrong = { authorization: 'Bearer not-the-key-of-this-gateway' };
    t.deepEqual(await ask(muster, method, path, wrong), { status: 401, code: 'KEY_WRONG' }, name);
    t.is((await ask(muster, method, path, { ...wrong, cookie: good })).status, 401, `${name}: wrong key, good cookie`);
    t.is((await ask(muster, method, path, { cookie: `${good}x` })).status, 401, `${name}: changed cookie`);
  }
});

test('a change by cookie must come from our own page; reading needs no such proof', async (t) => {
  const muster = await startGateway(t);
  const cookie = cookieOf(await signIn(muster, muster.gateway.signInUrl));
  for (const { method, path } of await routesOf(muster)) {
    if (method === 'GET') continue;
    const name = `${method} ${path}`;
    const refused = { status: 403, code: 'ORIGIN_REFUSED' };
    if (!OPEN.has(name)) t.deepEqual(await ask(muster, method, path, { cookie }), refused, `${name}: no origin`);
    const elsewhere = { cookie, origin: 'http://elsewhere.example' };
    t.deepEqual(await ask(muster, method, path, elsewhere), refused, `${name}: another origin`);
    const sameSite = { cookie, origin: muster.url, 'sec-fetch-site': 'same-site' };
    t.deepEqual(await ask(muster, method, path, sameSite), refused, `${name}: another page of the same site`);
  }
  t.is((await ask(muster, 'GET', '/api/v1/me', { cookie })).status, 200);
  const own = { cookie, origin: muster.url, 'sec-fetch-site': 'same-origin' };
  t.is((await ask(muster, 'POST', '/api/v1/agents/none/approve', own)).status, 404, 'our own page gets an answer');
  t.is((await ask(muster, 'POST', '/api/v1/sign-in-links', own)).code, 'KEY_NEEDED');
});

test('health and the shell of the page are open, and hold no data', async (t) => {
  const muster = await startGateway(t);
  t.deepEqual((await ask(muster, 'GET', '/healthz', {})).status, 200);
  t.deepEqual((await ask(muster, 'GET', '/readyz', {})).status, 200);
  const page = await fetch(`${muster.url}/`);
  t.true(page.status === 200 || page.status === 404, 'built or not, no sign-in is asked');
  const policy = page.headers.get('content-security-policy') ?? '';
  t.regex(policy, /default-src 'self';.*script-src 'self';.*style-src 'self'(;|$)/);
  const docs = await fetch(`${muster.url}/docs/`, { headers: key });
  t.regex(docs.headers.get('content-security-policy') ?? '', /style-src 'self' 'unsafe-inline'/);
});

test('a sign-in link works once; its cookie is HttpOnly, strict, and survives a restart of the gateway', async (t) => {
  const first = await startGateway(t);
  const link = first.gateway.signInUrl;
  const answer = await signIn(first, link);
  t.is(answer.status, 204);
  t.regex(answer.headers.get('set-cookie') ?? '', /^muster=\S+; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/);
  const again = await signIn(first, link);
  t.deepEqual([again.status, ((await again.json()) as ProblemBody).code], [401, 'SIGN_IN_LINK_INVALID']);
  const made = await first.request('POST', '/sign-in-links');
  t.is(made.status, 201);
  t.is((await signIn(first, (made.body as { readonly url: string }).url)).status, 204);
  await first.gateway.stop();
  const second = await startGateway(t, { nats: first.nats, dataDir: first.dataDir });
  t.is((await ask(second, 'GET', '/api/v1/me', { cookie: cookieOf(answer) })).status, 200);
});

test('a stranger may try ten sign-in tokens a minute', async (t) => {
  const muster = await startGateway(t);
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 11; attempt += 1) {
    statuses.push((await signIn(muster, `${muster.url}/#sign-in=guess-${attempt}`)).status);
  }
  t.deepEqual(statuses, [...Array.from({ length: 10 }, () => 401), 429]);
});

test('a foreign host name that points here is refused', async (t) => {
  const muster = await startGateway(t);
  t.is(await statusForHost(muster.url, 'elsewhere.example:80'), 421);
  t.is(await statusForHost(muster.url, '127.0.0.1.elsewhere.example'), 421);
  t.is(await statusForHost(muster.url, new URL(muster.url).host), 200);
  t.is(await statusForHost(muster.url, 'localhost:1'), 200);
});

interface Account {
  readonly cookie: string;
  /** Asks the gateway that did not sign the person in. */
  readonly role: () => Promise<string>;
}

/** An account that signed in at one gateway, as another one sees it. */
async function signedInAt(first: TestGateway, second: TestGateway, personId: string): Promise<Account> {
  await first.request('POST', '/people', { body: { personId, name: personId, role: 'operator' } });
  const { body } = await first.request('POST', `/people/${personId}/sign-in-link`);
  const token = new URL((body as { readonly url: string }).url).hash.slice('#set-password='.length);
  const set = await fetch(`${first.url}/api/v1/set-password`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, password: 'a password for the tests' }),
  });
  const cookie = cookieOf(set);
  const role = async () => {
    const response = await fetch(`${second.url}/api/v1/me`, { headers: { cookie } });
    return response.ok ? ((await response.json()) as { readonly role: string }).role : String(response.status);
  };
  await until(`${personId} known everywhere`, role, (known) => known === 'operator');
  return { cookie, role };
}

test('whoever signed in at one gateway is signed in at all, and out at all: live streams end too', async (t) => {
  const first = await startGateway(t);
  const second = await startGateway(t, { nats: first.nats });
  const [anna, ben, carl] = [
    await signedInAt(first, second, 'anna'),
    await signedInAt(first, second, 'ben'),
    await signedInAt(first, second, 'carl'),
  ];
  const streams = await Promise.all(
    [anna, ben, carl].map(({ cookie }) => openStream(`${second.url}/api/v1/live`, { cookie })),
  );
  const [ofAnna, ofBen, ofCarl] = streams;
  for (const stream of streams) await stream.next();
  await first.request('DELETE', '/people/anna');
  t.true(await ofAnna?.ended());
  t.is(await anna.role(), '401');
  await first.request('PATCH', '/people/ben', { body: { role: 'viewer' } });
  t.true(await ofBen?.ended(), 'what it shows is asked for anew, under the new role');
  t.is(await ben.role(), 'viewer');
  const headers = { cookie: carl.cookie, origin: first.url, 'sec-fetch-site': 'same-origin' };
  t.is((await fetch(`${first.url}/api/v1/sign-out`, { method: 'POST', headers })).status, 204);
  t.true(await ofCarl?.ended());
  t.is(await carl.role(), '401');
});

test('a revoked key is refused by every gateway, and its streams end', async (t) => {
  const first = await startGateway(t);
  const second = await startGateway(t, { nats: first.nats });
  const issued = await first.request('POST', '/keys', { body: { name: 'jobs', role: 'viewer' } });
  const { key: made, secret } = issued.body as { readonly key: { readonly keyId: string }; readonly secret: string };
  const authorization = `Bearer ${secret}`;
  const status = async () => (await fetch(`${second.url}/api/v1/agents`, { headers: { authorization } })).status;
  await until('the key known everywhere', status, (answered) => answered === 200);
  const stream = await openStream(`${second.url}/api/v1/live`, { authorization });
  await stream.next();
  await first.request('DELETE', `/keys/${made.keyId}`, { body: { reason: 'a test' } });
  t.true(await stream.ended());
  t.is(await status(), 401);
});

function statusForHost(url: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${url}/healthz`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.once('error', reject);
    sent.end();
  });
}
