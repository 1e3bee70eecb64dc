import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { startFakeAgent } from './support/fakeAgent.ts';
import { temporaryFolder } from './support/folder.ts';
import { gatewayEnvironment, restOf, untilOnline, type Rest, type StartAnswer } from './support/gateway.ts';
import { startGatewayChild } from './support/gatewayChild.ts';
import { importedFrom, importsOf, withoutComment } from './support/imports.ts';
import { startNats } from './support/nats.ts';
import { socketsOf } from './support/sockets.ts';
import { openStream } from './support/sse.ts';
import { STORES, type TestStore } from './support/stores.ts';
import { until } from './support/until.ts';

/**
 * A gateway speaks to its bus and to the store of its logs, and answers whoever asks it. It calls nobody else: not for
 * updates, not for names, not for an image. What could is listed here, with every file that a gateway's process runs.
 */

/** Where the process of a gateway reaches outside itself, each with what for. Whatever is not listed fails. */
const MEANT: readonly string[] = [
  'gateway/history/capacityWorker.ts: node:worker_threads parentPort',
  'gateway/history/capacityWorker.ts: node:worker_threads workerData',
  // Only looked at: whether a request came over one.
  'gateway/http/inside.ts: node:net Socket',
  'gateway/http/tls.ts: node:https createServer',
  'gateway/log.ts: import()',
  'gateway/snapshots/worker.ts: node:worker_threads parentPort',
  'gateway/snapshots/worker.ts: node:worker_threads workerData',
  'gateway/thread.ts: node:worker_threads Worker',
  'infra/bus/connect.ts: nats connect',
  'infra/eventStore/client.ts: @eventstore/db-client',
];

/** Packages that it runs. One more has to be looked at first: what does it call, and when? */
const PACKAGES: readonly string[] = [
  '@eventstore/db-client',
  '@fastify/cookie',
  '@fastify/helmet',
  '@fastify/rate-limit',
  '@fastify/static',
  '@fastify/swagger',
  '@fastify/swagger-ui',
  'fastify',
  'fastify-type-provider-zod',
  'nats',
  'pino',
  'prom-client',
  'zod',
];

const ROOTS = ['gateway/main.ts', 'gateway/snapshots/worker.ts', 'gateway/history/capacityWorker.ts'];
const REACHING =
  /^(?:node:)?(?:http|https|http2|net|tls|dgram|dns|child_process|worker_threads|cluster|inspector)(?:\/|$)/;
/** Look at addresses and certificates, and at nothing else. */
const INNOCENT: ReadonlySet<string> = new Set(['isIP', 'createSecureContext', 'checkServerIdentity']);
const GLOBALS =
  /(?<![-\w'])(fetch|WebSocket|EventSource|XMLHttpRequest|getBuiltinModule|createRequire)\b(?!-)|\b(import|require)\(/g;

/** What in a text reaches outside the process that runs it. */
function reachesOf(text: string): readonly string[] {
  const found = new Set<string>();
  for (const [, names = '', path = ''] of text.matchAll(
    /^(?:import|export)(?! type )([^;']*?)(?: from)? ?'([^']+)'/gm,
  )) {
    const each = /\{([^}]*)\}/
      .exec(names)?.[1]
      ?.split(',')
      .map((name) => name.trim()) ?? [names.trim()];
    const values = each.filter((name) => name !== '' && !name.startsWith('type '));
    if (REACHING.test(path)) for (const name of values) if (!INNOCENT.has(name)) found.add(`${path} ${name}`);
    if (path === 'nats') for (const name of values) if (/^(?:connect|\*)/.test(name)) found.add(`${path} ${name}`);
    if (/^(?:@eventstore|@grpc|undici|dockerode|axios|got|ws)\b/.test(path)) found.add(path);
  }
  const code = text.split('\n').map(withoutComment).join('\n');
  for (const [, global, call] of code.matchAll(GLOBALS)) found.add(global ?? `${call}()`);
  return [...found];
}

test('of all that the process of a gateway runs only what is listed reaches outside it', (t) => {
  const files = new Set<string>();
  for (const root of ROOTS) importedFrom(root, files);
  t.true(files.size > 200, `only ${files.size} files were looked at`);
  t.false([...files].some((file) => /^(agent|ui|gateway\/cli)\//.test(file)));
  const found: string[] = [];
  const packages = new Set<string>();
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    found.push(...reachesOf(text).map((reach) => `${file}: ${reach}`));
    for (const path of importsOf(text)) if (!/^(?:\.|node:)/.test(path)) packages.add(path);
  }
  t.deepEqual(found.toSorted(), MEANT);
  t.deepEqual([...packages].toSorted(), PACKAGES);
});

test('the look for what reaches outside finds each of its forms', (t) => {
  const table: readonly (readonly [string, string])[] = [
    ["await fetch('http://a.example')", 'fetch'],
    ['await globalThis.fetch(url)', 'fetch'],
    ['new WebSocket(url)', 'WebSocket'],
    ["import { request } from 'node:http';", 'node:http request'],
    ["import https from 'https';", 'https https'],
    ["import * as net from 'node:net';", 'node:net * as net'],
    ["import { isIP, connect } from 'node:net';", 'node:net connect'],
    ["import { lookup } from 'node:dns/promises';", 'node:dns/promises lookup'],
    ["import { createSocket } from 'node:dgram';", 'node:dgram createSocket'],
    ["import { spawn } from 'node:child_process';", 'node:child_process spawn'],
    ["import {\n  connect,\n  headers,\n} from 'nats';", 'nats connect'],
    ["import { Agent } from 'undici';", 'undici'],
    ["import Docker from 'dockerode';", 'dockerode'],
    ["await import('node:net')", 'import()'],
    ["require('node:net')", 'require()'],
    ["process.getBuiltinModule('net')", 'getBuiltinModule'],
  ];
  for (const [text, reach] of table) t.deepEqual(reachesOf(text), [reach], text);
  for (const text of [
    "import type { Socket } from 'node:net';",
    "import { isIP } from 'node:net';",
    "['sec-fetch-site']",
  ])
    t.deepEqual(reachesOf(text), [], text);
});

const PROBE = join(import.meta.dirname, 'support/outgoingProbe.ts');

for (const { name, start } of STORES) {
  test(`${name}: a gateway that is used connects to its bus and its store, and to nobody else`, async (t) => {
    await speaksToNobodyElse(t, await start(t));
  });
}

async function speaksToNobodyElse(t: ExecutionContext, store: TestStore): Promise<void> {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const folder = await temporaryFolder(t);
  const asked = join(folder, 'asked');
  await writeFile(asked, '');
  const env = { ...(await gatewayEnvironment(nats, join(folder, 'data'))), ...store.env };
  const child = await startGatewayChild(t, {
    ...env,
    NODE_OPTIONS: `--import=${PROBE}`,
    MUSTER_TEST_OUTGOING: asked,
  });
  const rest = restOf(`http://${env['MUSTER_HTTP']}`);
  const agent = startFakeAgent(await nats.connect('app'), { agentId: 'six', cores: 6, memoryGib: 6 });
  t.teardown(() => agent.stop());
  await untilOnline(rest, 'six');
  await use(t, rest);

  const meant = [nats.url, ...Object.values(store.env)].map((url) => new URL(url).host);
  const lines = (await readFile(asked, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => String(JSON.parse(line)));
  t.deepEqual([...new Set(lines)].toSorted(), meant.toSorted());

  const own = env['MUSTER_HTTP'] ?? '';
  const sockets = await socketsOf(child.pid ?? 0);
  t.deepEqual(
    sockets.filter(({ isListening }) => isListening).map(({ local }) => local),
    [own],
  );
  const elsewhere = sockets.filter(
    ({ isListening, local, remote }) => !isListening && local !== own && !meant.includes(remote),
  );
  t.deepEqual(elsewhere, []);
  t.true(sockets.some(({ remote }) => remote === meant[0]));
}

/** Everything for which another product might call somebody: an image, a session, an account, a page, a document. */
async function use(t: ExecutionContext, rest: Rest): Promise<void> {
  const digest = `sha256:${'a'.repeat(64)}`;
  await rest.defineImage('one', { reference: `docker.io/library/alpine:3@${digest}` });
  const { body } = await rest.request('POST', '/sessions', { body: { imageId: 'one' } });
  const { sessionId } = (body as StartAnswer).session;
  await until('running', rest.sessions, (all) => all.some(({ phase }) => phase === 'running'));
  const first = { personId: 'anna', name: 'Anna Smith', password: 'a sentence nobody guesses' };
  t.is((await rest.request('POST', '/first-account', { body: first })).status, 201);
  const signIn = { account: 'anna', password: first.password };
  const answer = await rest.request('POST', '/sign-in', { body: signIn, anonymous: true });
  t.is(answer.status, 204);
  const [cookie = ''] = (answer.headers.get('set-cookie') ?? '').split(';');
  const stream = await openStream(`${rest.url}/api/v1/live?view=fleet`, { cookie });
  await stream.next();
  await stream.close();
  for (const path of ['/', '/docs/', '/docs/json', '/openapi.json', '/metrics', '/readyz']) {
    t.is((await rest.request('GET', `${rest.url}${path}`)).status, 200, path);
  }
  t.is((await rest.request('DELETE', `/sessions/${sessionId}`)).status, 202);
}

test('the look at the sockets of a process sees a connection and where it goes', async (t) => {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const { hostname, port } = new URL(nats.url);
  const socket = createConnection(Number(port), hostname);
  await once(socket, 'connect');
  const { localPort } = socket;
  const seen = (await socketsOf(process.pid)).find(({ local }) => local === `127.0.0.1:${localPort}`);
  t.deepEqual(seen, {
    kind: 'tcp',
    local: `127.0.0.1:${localPort}`,
    remote: `${hostname}:${port}`,
    isListening: false,
  });
  socket.destroy();
});
