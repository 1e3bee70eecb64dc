import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { codeOf, fleetEvents, HOST, linkFor, LOCAL_KEY, memoryApp, PASSWORD } from './support/memoryApp.ts';

/** Access keys, and what becomes of secrets. */

const HOUR = 3_600_000;

interface Issued {
  readonly key: { readonly keyId: string; readonly fingerprint: string };
  readonly secret: string | null;
}

test('a key is shown once and acts as itself; repeating the request gives no second secret', async (t) => {
  const muster = await memoryApp(t);
  const body = { name: 'nightly jobs', role: 'admin', reason: 'backups' };
  const headers = { 'idempotency-key': 'issue-1' };
  const first = await muster.ask('POST', '/keys', { key: LOCAL_KEY, body, headers });
  const { key, secret } = first.body as Issued;
  t.is(first.status, 201);
  t.regex(secret ?? '', new RegExp(`^mk_${key.keyId}_[\\w-]{43}$`));
  const again = await muster.ask('POST', '/keys', { key: LOCAL_KEY, body, headers });
  t.like(again.body, { key: { keyId: key.keyId }, secret: null });
  t.is(muster.secrets.standing.size, 1);
  await muster.admin('GET', '/keys');
  t.is((await muster.ask('PUT', '/images/one', { key: secret ?? '', body: IMAGE })).status, 201);
  t.like(await muster.admin('GET', '/keys'), { keys: [{ keyId: key.keyId, expired: false }] });
  const events = await fleetEvents(muster);
  const [issued, defined] = events.slice(-2);
  t.like(issued, { type: 'AccessKeyIssued', actor: { kind: 'operator', id: 'admin' }, reason: 'backups' });
  t.like(defined, { type: 'ImageDefined', actor: { kind: 'automation', id: key.keyId } });
  const { keys } = await muster.admin<{ readonly keys: readonly { readonly lastUsedAt: string | null }[] }>(
    'GET',
    '/keys',
  );
  t.regex(keys[0]?.lastUsedAt ?? '', /:00\.000Z$/);
  const all = JSON.stringify([events, keys, [...muster.secrets.standing]]);
  t.false(all.includes((secret ?? '').slice(-43)));
});

const IMAGE = { name: 'one', reference: 'busybox', cores: 1, memory: '1GiB' };

test('whoever sends a body slowly is judged again when it is there', async (t) => {
  const muster = await memoryApp(t);
  const { port } = new URL(await muster.app.listen({ host: '127.0.0.1', port: 0 }));
  t.is(muster.app.server.requestTimeout, 60_000, 'and has a minute for it');
  await muster.admin('POST', '/people', { personId: 'anna', name: 'Anna', role: 'admin' });
  await muster.admin('POST', '/people', { personId: 'boss', name: 'Boss', role: 'admin' });
  const { key, secret } = await muster.admin<Issued>('POST', '/keys', { name: 'slow', role: 'admin' });
  const cookie = `muster=${await muster.access.sessions.begin('anna', undefined)}`;
  for (const [shown, meanwhile, code] of [
    [
      `authorization: Bearer ${secret}`,
      () => muster.admin('DELETE', `/keys/${key.keyId}`, { reason: 'stolen' }),
      'KEY_WRONG',
    ],
    [
      `cookie: ${cookie}\r\nsec-fetch-site: same-origin`,
      () => muster.admin('PATCH', '/people/anna', { role: 'viewer' }),
      'ROLE_NEEDED',
    ],
  ] as const) {
    t.regex(await sentSlowly(Number(port), shown, meanwhile), new RegExp(`"code":"${code}"`));
  }
  t.like(await muster.admin('GET', '/images'), { images: [] });
});

/** What is answered to a request whose body comes after something else has happened. */
async function sentSlowly(port: number, shown: string, meanwhile: () => Promise<unknown>): Promise<string> {
  const body = JSON.stringify(IMAGE);
  const socket = connect(port, '127.0.0.1');
  const head = ['PUT /api/v1/images/late HTTP/1.1', `host: ${HOST}`, shown, 'content-type: application/json'];
  socket.write(
    `${[...head, `content-length: ${body.length}`, 'connection: close', 'expect: 100-continue'].join('\r\n')}\r\n\r\n`,
  );
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
  // Node says "100 Continue" when it has the head, which the gateway has judged by the time anything else happens.
  await once(socket, 'data');
  await meanwhile();
  socket.end(body);
  await once(socket, 'close');
  return answer;
}

test('a key ends by its time or by being revoked, which needs a reason', async (t) => {
  const muster = await memoryApp(t);
  const inAnHour = new Date(Date.now() + HOUR).toISOString();
  const post = { name: 'jobs', role: 'viewer', expiresAt: inAnHour };
  const { key, secret } = await muster.admin<Issued>('POST', '/keys', post);
  const read = async () => (await muster.ask('GET', '/agents', { key: secret ?? '' })).status;
  t.is(await read(), 200);
  muster.jump(HOUR);
  t.is(await read(), 401);
  t.like(await muster.admin('GET', '/keys'), { keys: [{ expired: true }] });
  const live = await muster.admin<Issued>('POST', '/keys', { name: 'more', role: 'viewer' });
  const path = `/keys/${live.key.keyId}`;
  t.deepEqual(codeOf(await muster.ask('DELETE', path, { key: LOCAL_KEY })), [400, 'INVALID_REQUEST']);
  await muster.admin('DELETE', path, { reason: 'it was printed in a log' });
  t.is((await muster.ask('GET', '/agents', { key: live.secret ?? '' })).status, 401);
  t.deepEqual([...muster.secrets.standing.keys()], [`key.${key.keyId}`]);
  t.deepEqual(codeOf(await muster.ask('DELETE', path, { key: LOCAL_KEY, body: { reason: 'again' } })), [
    404,
    'KEY_UNKNOWN',
  ]);
  const late = { ...post, expiresAt: '2020-01-01T00:00:00Z' };
  t.deepEqual(codeOf(await muster.ask('POST', '/keys', { key: LOCAL_KEY, body: late })), [400, 'EXPIRY_PAST']);
  t.is(muster.secrets.standing.size, 1, 'a key that was not issued leaves no secret');
});

test("only the key of the machine makes the machine's links: no admin and no admin's key outlives itself by one", async (t) => {
  const muster = await memoryApp(t);
  await muster.person('anna', 'admin');
  const { secret } = await muster.admin<Issued>('POST', '/keys', { name: 'jobs', role: 'admin' });
  const needed = [403, 'KEY_NEEDED'];
  t.deepEqual(codeOf(await muster.ask('POST', '/sign-in-links', { cookie: await muster.signIn('anna') })), needed);
  t.deepEqual(codeOf(await muster.ask('POST', '/sign-in-links', { key: secret ?? '' })), needed);
  t.deepEqual(codeOf(await muster.ask('POST', '/sign-in-links', { cookie: await muster.signInLocally() })), needed);
});

test('secrets that open nothing are swept, and nothing else is', async (t) => {
  const muster = await memoryApp(t);
  await muster.person('anna', 'admin');
  const { secret } = await muster.admin<Issued>('POST', '/keys', { name: 'jobs', role: 'viewer' });
  await linkFor(muster, 'anna');
  const made = await muster.access.keys.make();
  const token = await muster.access.managerTokens.make();
  muster.secrets.standing.set('person.later', {
    value: JSON.stringify({ serial: 99, hash: 'of somebody whom this gateway does not know yet' }),
    revision: 9999,
  });
  t.is(await muster.access.sweep(), 0);
  muster.jump(25 * HOUR);
  t.is(await muster.access.sweep(), 4, 'an old session, an old link, a key and a token that were never recorded');
  t.is(muster.secrets.standing.has(`manager-token.${token.tokenId}`), false);
  t.is(muster.secrets.standing.has(`key.${made.keyId}`), false);
  t.truthy(await muster.signIn('anna'));
  t.is((await muster.ask('GET', '/agents', { key: secret ?? '' })).status, 200);
  t.true(muster.secrets.standing.has('person.later'));
});

test('no password, link, cookie or key is in the log, in the events, in the metrics or in what is kept', async (t) => {
  const lines: string[] = [];
  const muster = await memoryApp(t, lines);
  await muster.person('anna', 'admin');
  const cookie = await muster.signIn('anna');
  const token = await linkFor(muster, 'anna');
  const { secret } = await muster.admin<Issued>('POST', '/keys', { name: 'jobs', role: 'viewer' });
  await muster.ask('POST', '/sign-in', { body: { account: 'anna', password: 'a wrong and secret one' } });
  const metrics = await muster.ask('GET', '//metrics', { key: LOCAL_KEY });
  const all = JSON.stringify([
    lines,
    await fleetEvents(muster),
    metrics.text,
    await muster.admin('GET', '/people'),
    await muster.admin('GET', '/keys'),
    [...muster.secrets.standing],
  ]);
  const shown = [
    PASSWORD,
    'a wrong and secret one',
    cookie.slice(-43),
    token.slice(-43),
    (secret ?? '').slice(-43),
    LOCAL_KEY,
  ];
  for (const each of shown) t.false(all.includes(each), each.slice(0, 6));
});
