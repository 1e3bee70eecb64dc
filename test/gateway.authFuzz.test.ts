import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { seededRandom, type Random } from './simulation/random.ts';
import { someBody, someHeaders, someText } from './support/malformed.ts';
import {
  HOST,
  LOCAL_KEY,
  memoryApp,
  PASSWORD,
  tokenOf,
  type Answer,
  type Asking,
  type MemoryApp,
} from './support/memoryApp.ts';

const INPUTS = 10_000;
const AT_ONCE = 8;
const SEED = Number(process.env['MUSTER_TEST_SEED'] ?? 20_261_127);

interface Door {
  readonly method: string;
  readonly path: string;
  /** What a careful client sends. */
  readonly good: object;
}

const DOORS: readonly [Door, ...Door[]] = [
  { method: 'POST', path: '/sign-in', good: { account: 'anna', password: PASSWORD } },
  { method: 'POST', path: '/sign-in', good: { token: 'x'.repeat(43) } },
  { method: 'POST', path: '/set-password', good: { token: `anna.${'x'.repeat(43)}`, password: PASSWORD } },
  { method: 'POST', path: '/sign-out', good: {} },
  { method: 'POST', path: '/sign-in-links', good: {} },
  { method: 'POST', path: '/first-account', good: { personId: 'zoe', name: 'Zoe', password: PASSWORD } },
  { method: 'PUT', path: '/me/password', good: { current: 'not this one', password: PASSWORD } },
  { method: 'GET', path: '/me', good: {} },
  { method: 'GET', path: '/me/sessions', good: {} },
  { method: 'DELETE', path: '/me/sessions/:id', good: {} },
  { method: 'GET', path: '/people', good: {} },
  { method: 'POST', path: '/people', good: { personId: 'ben', name: 'Ben', role: 'viewer' } },
  { method: 'PATCH', path: '/people/:id', good: { role: 'viewer' } },
  { method: 'DELETE', path: '/people/:id', good: { reason: 'a test' } },
  { method: 'POST', path: '/people/:id/sign-in-link', good: {} },
  { method: 'DELETE', path: '/people/:id/browser-sessions', good: {} },
  { method: 'GET', path: '/keys', good: {} },
  { method: 'POST', path: '/keys', good: { name: 'jobs', role: 'viewer', expiresAt: null } },
  { method: 'DELETE', path: '/keys/:id', good: { reason: 'a test' } },
];

/** Nobody, or somebody who is let in, so that what is malformed comes as far as it can. */
function asSomebody(random: Random, known: readonly Asking[]): Asking {
  return random.any(known) ?? {};
}

function someAsking(random: Random, door: Door, known: readonly Asking[]): Asking {
  const who = asSomebody(random, known);
  const bodiless = door.method === 'GET' && random.chance(0.8);
  return {
    ...who,
    ...(bodiless ? {} : { raw: someBody(random, door.good) }),
    headers: { ...who.headers, ...someHeaders(random) },
    address: `10.${random.int(0, 255)}.${random.int(0, 255)}.${random.int(0, 255)}`,
  };
}

function pathOf(random: Random, { path }: Door): string {
  if (!path.includes(':id'))
    return random.chance(0.1) ? `${path}?${encodeURIComponent(someText(random).toWellFormed())}` : path;
  const id = random.chance(0.1)
    ? random.pick(['%', '%00', '%ff', '%2e%2e%2f', '..'])
    : encodeURIComponent(someText(random).toWellFormed());
  return path.replace(':id', id.slice(0, 2000));
}

async function prepare(muster: MemoryApp) {
  await muster.person('anna', 'admin');
  await muster.person('vera', 'viewer');
  const { secret } = await muster.admin<{ readonly secret: string }>('POST', '/keys', { name: 'jobs', role: 'admin' });
  const link = await muster.admin<{ readonly url: string }>('POST', '/people/vera/sign-in-link');
  const cookies = [await muster.signIn('anna'), await muster.signIn('vera'), await muster.signInLocally()];
  const known: readonly Asking[] = [{}, { key: LOCAL_KEY }, { key: secret }, ...cookies.map((cookie) => ({ cookie }))];
  const secrets = [
    LOCAL_KEY,
    PASSWORD,
    secret.slice(-43),
    tokenOf(link.url).slice(-43),
    ...cookies.map((cookie) => cookie.slice(-43)),
  ];
  return {
    known,
    secrets,
    hashes: () => [...muster.secrets.standing.values()].flatMap(({ value }) => value.match(/[\w+/-]{43}/g) ?? []),
  };
}

function troubleWith({ status, text, body }: Answer, secrets: readonly string[]): string | null {
  if (status >= 500) return `${status} ${text.slice(0, 200)}`;
  const problem = body as { readonly code?: string } | null;
  if (status >= 400 && typeof problem?.code !== 'string') return `${status} without a code: ${text.slice(0, 200)}`;
  const told = secrets.find((secret) => text.includes(secret));
  return told === undefined ? null : `tells a secret: ${text.slice(0, 200)}`;
}

test(`${INPUTS} malformed inputs at every door: no failure, no secret, and everything works afterwards`, async (t) => {
  const lines: string[] = [];
  const muster = await memoryApp(t, lines);
  const { known, secrets, hashes } = await prepare(muster);
  const random = seededRandom(SEED);
  const statuses = new Map<number, number>();
  const troubles: string[] = [];
  for (let done = 0; done < INPUTS; done += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        const door = random.pick(DOORS);
        const [path, asking] = [pathOf(random, door), someAsking(random, door, known)];
        const answer = await muster.ask(door.method, path, asking);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        const trouble = troubleWith(answer, secrets);
        const sent = `${door.method} ${path.slice(0, 100)} ${JSON.stringify(asking).slice(0, 300)}`;
        if (trouble !== null) troubles.push(`seed ${SEED}: ${sent}\n  ${trouble}`);
      }),
    );
  }
  t.deepEqual(troubles.slice(0, 5), []);
  t.log(Object.fromEntries([...statuses].toSorted(([a], [b]) => a - b)));
  for (const status of [200, 400, 401, 403, 404, 413, 415]) t.true((statuses.get(status) ?? 0) > 10, `${status}`);
  t.is(Reflect.get({}, 'polluted'), undefined);
  const log = lines.join('\n');
  t.deepEqual(
    [...secrets, ...hashes()].filter((secret) => log.includes(secret)),
    [],
  );
  await muster.admin('POST', '/people', { personId: 'after', name: 'After', role: 'viewer' });
  muster.jump(3_600_001);
  await muster.person('later', 'viewer');
  t.truthy(await muster.signIn('later'));
});

/** Bytes that no HTTP library would send. */
const RAW: readonly string[] = [
  '',
  '\r\n\r\n',
  'GET\r\n\r\n',
  `POST /api/v1/sign-in HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 5\r\n\r\n{"a":1}trailing`,
  `POST /api/v1/sign-in HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: -1\r\n\r\n`,
  `POST /api/v1/sign-in HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  `POST /api/v1/sign-in HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nzz\r\n`,
  `POST /api/v1/sign-in HTTP/1.1\r\nHost: ${HOST}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
  `GET /api/v1/me HTTP/1.1\r\n\r\n`,
  `GET /api/v1/me HTTP/1.1\r\nHost: ${HOST}\r\nHost: elsewhere\r\n\r\n`,
  `GET /api/v1/me HTTP/1.1\r\nHost: ${HOST}\r\nCookie: ${'muster=x; '.repeat(5000)}\r\n\r\n`,
  `GET /api/v1/me HTTP/1.1\r\nHost: ${HOST}\r\nAuthorization: Bearer \u0000\r\n\r\n`,
  `GET http://elsewhere/api/v1/me HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
  `GET /api/v1/${'a/'.repeat(4000)} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
  `GET /%ZZ HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
  `CONNECT ${HOST} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
  `GET /api/v1/live HTTP/1.1\r\nHost: ${HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
  '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00FC\u0003\u0003',
];

test('bytes that are no HTTP end their own connection and nothing else', async (t) => {
  const muster = await memoryApp(t);
  const { port } = new URL(await muster.app.listen({ host: '127.0.0.1', port: 0 }));
  for (const bytes of RAW) {
    const answer = await send(Number(port), bytes);
    t.notRegex(answer, /^HTTP\/1\.1 5/, JSON.stringify(bytes.slice(0, 80)));
  }
  const { status } = await fetch(`http://127.0.0.1:${port}/api/v1/me`, {
    headers: { authorization: `Bearer ${LOCAL_KEY}` },
  });
  t.is(status, 200);
});

/** What is answered until the gateway, or this side, ends the connection. */
async function send(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  // A reset is one way of being shown out.
  socket.on('error', () => socket.destroy());
  socket.end(bytes, 'latin1');
  await once(socket, 'close');
  return answer;
}
