import { readFile, stat } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import test from 'ava';
import { SignInTokens } from '../gateway/auth/signInTokens.ts';
import { CookieSeal } from '../gateway/auth/cookie.ts';
import { startGateway, type ProblemBody, type TestGateway } from './support/gateway.ts';
import { manualClock } from './support/manualClock.ts';

/** Nothing answers without a key or a cookie, except health, the page's shell and signing in. */

const OPEN = new Set(['POST /api/v1/sign-in']);

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

async function signIn(muster: TestGateway, link: string): Promise<Response> {
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
  t.true(routes.length > 25);
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
  t.regex(answer.headers.get('set-cookie') ?? '', /^muster=\S+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
  const again = await signIn(first, link);
  t.deepEqual([again.status, ((await again.json()) as ProblemBody).code], [401, 'SIGN_IN_LINK_INVALID']);
  const made = await first.request('POST', '/sign-in-links');
  t.is(made.status, 201);
  t.is((await signIn(first, (made.body as { readonly url: string }).url)).status, 204);
  await first.gateway.stop();
  const second = await startGateway(t, { nats: first.nats, dataDir: first.dataDir });
  t.is((await ask(second, 'GET', '/api/v1/me', { cookie: cookieOf(answer) })).status, 200);
  t.is((await stat(join(first.dataDir, 'cookie.key'))).mode & 0o777, 0o600);
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

test('sign-in tokens and cookies end by the clock', async (t) => {
  const clock = manualClock(Date.UTC(2026, 10, 22));
  const tokens = new SignInTokens(clock);
  const late = tokens.make().token;
  await clock.advance(15 * 60_000);
  t.false(tokens.redeem(late));
  const seal = new CookieSeal('a secret', clock);
  const cookie = seal.seal('admin');
  await clock.advance(12 * 3_600_000 - 1);
  t.is(seal.open(cookie)?.personId, 'admin');
  t.is(new CookieSeal('another secret', clock).open(cookie), null);
  t.is(seal.open(cookie.replace('admin', 'other')), null);
  await clock.advance(1);
  t.is(seal.open(cookie), null);
});

test('the log tells no secret', async (t) => {
  const muster = await startGateway(t);
  await muster.request('POST', '/sign-in-links');
  const metrics = await (await fetch(`${muster.url}/metrics`, { headers: key })).text();
  const secrets = [key.authorization, await readFile(join(muster.dataDir, 'cookie.key'), 'utf8')];
  const events = JSON.stringify([await muster.events(), await muster.events('?log=fleet')]);
  for (const secret of secrets) t.false(metrics.includes(secret.trim()) || events.includes(secret.trim()));
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
