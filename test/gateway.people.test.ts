import test from 'ava';
import type { PersonRow } from '../gateway/http/schemas/people.ts';
import type { ProblemBody } from './support/gateway.ts';
import {
  codeOf,
  fieldOf,
  fleetEvents,
  linkFor,
  LOCAL_KEY,
  memoryApp,
  PASSWORD,
  type MemoryApp,
} from './support/memoryApp.ts';
import { until } from './support/until.ts';

const HOUR = 3_600_000;

async function me(muster: MemoryApp, cookie: string) {
  const { status, body } = await muster.ask('GET', '/me', { cookie });
  return status === 200 ? (body as { readonly actor: { readonly id: string }; readonly role: string }) : status;
}

test('who comes by the first link is asked for the first account, and goes on as that person', async (t) => {
  const muster = await memoryApp(t);
  const local = await muster.signInLocally();
  t.like(await me(muster, local), {
    actor: { kind: 'operator', id: 'admin' },
    role: 'admin',
    firstAccountNeeded: true,
  });
  const body = { personId: 'anna', name: 'Anna Smith', password: 'short' };
  const refused = await muster.ask('POST', '/first-account', { cookie: local, body });
  t.deepEqual([codeOf(refused), fieldOf(refused)], [[400, 'PASSWORD_REFUSED'], 'password']);
  const made = await muster.ask('POST', '/first-account', { cookie: local, body: { ...body, password: PASSWORD } });
  t.is(made.status, 201);
  t.like(made.body, { personId: 'anna', role: 'admin', hasPassword: true, browserSessions: 1 });
  t.like(await me(muster, made.cookie ?? ''), { actor: { id: 'anna' }, role: 'admin', firstAccountNeeded: false });
  t.is(await me(muster, local), 401, 'the session of the link has ended');
  const created = (await fleetEvents(muster)).find(({ type }) => type === 'PersonCreated');
  t.like(created, { actor: { kind: 'operator', id: 'admin' }, data: { personId: 'anna', role: 'admin' } });
  const again = await muster.ask('POST', '/first-account', { key: LOCAL_KEY, body: { ...body, password: PASSWORD } });
  t.deepEqual(codeOf(again), [409, 'FIRST_ACCOUNT_MADE']);
  t.like(await me(muster, await muster.signInLocally()), { role: 'admin', firstAccountNeeded: false }, 'for recovery');
});

test('a first account that was made without coming as far as its password is made whole by the next try', async (t) => {
  const muster = await memoryApp(t);
  const local = await muster.signInLocally();
  const body = { personId: 'anna', name: 'Anna Smith', password: PASSWORD };
  muster.secrets.away = true;
  t.deepEqual(codeOf(await muster.ask('POST', '/first-account', { cookie: local, body })), [503, 'UNAVAILABLE']);
  muster.secrets.away = false;
  t.is((await muster.ask('POST', '/first-account', { cookie: local, body })).status, 201);
  t.truthy(await muster.signIn('anna'));
});

test('people sign in by account and password, as their keyboard writes it; the cookie is for our page alone', async (t) => {
  const muster = await memoryApp(t);
  await muster.person('anna', 'operator');
  const answer = await muster.ask('POST', '/sign-in', { body: { account: ' Anna ', password: PASSWORD } });
  t.is(answer.status, 204);
  const set = String(answer.headers['set-cookie']);
  t.regex(set, /^muster=v2\.[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/);
  t.like(await me(muster, answer.cookie ?? ''), { actor: { id: 'anna' }, name: 'Person anna', role: 'operator' });
  t.is(answer.headers['cache-control'], 'no-store');
});

test('a wrong password and an account that there is not are answered alike', async (t) => {
  const muster = await memoryApp(t);
  await muster.person('anna', 'operator');
  await muster.admin('POST', '/people', { personId: 'new', name: 'New', role: 'viewer' });
  const answers = await Promise.all(
    ['anna', 'nobody', 'new', 'admin', '__proto__', 'no account at all'].map((account) =>
      muster.ask('POST', '/sign-in', { body: { account, password: 'not the password' } }),
    ),
  );
  for (const answer of answers) t.deepEqual(answer.body, answers[0]?.body);
  t.deepEqual(codeOf(answers[0] ?? (await muster.ask('GET', '/me'))), [401, 'SIGN_IN_WRONG']);
});

test('whoever guesses is locked out for longer and longer, also of an account that there is not; links still work', async (t) => {
  const lines: string[] = [];
  const muster = await memoryApp(t, lines);
  await muster.person('anna', 'admin');
  const guess = async (account: string) =>
    await muster.ask('POST', '/sign-in', { body: { account, password: 'not the password' } });
  for (const account of ['anna', 'nobody']) {
    for (let tries = 0; tries < 5; tries += 1) t.is((await guess(account)).status, 401);
    const locked = await guess(account);
    t.deepEqual(codeOf(locked), [429, 'LOCKED_OUT']);
    t.is(locked.headers['retry-after'], '30');
    t.is((locked.body as ProblemBody).numbers?.['retryAfterSeconds'], 30);
  }
  t.regex((await lockedUntil(muster)) ?? '', /^20.+Z$/, 'admins see it');
  const right = { body: { account: 'anna', password: PASSWORD } };
  t.deepEqual(codeOf(await muster.ask('POST', '/sign-in', right)), [429, 'LOCKED_OUT'], 'the right one too');
  t.truthy(await muster.signInLocally());
  t.is(lines.filter((line) => line.includes('locked for 30 s')).length, 2);
  t.false(lines.join('\n').includes('"nobody"'));
  muster.jump(30_000);
  await guess('anna');
  t.is((await guess('anna')).headers['retry-after'], '60');
  const token = await linkFor(muster, 'anna');
  const other = { body: { token, password: 'another good password' } };
  t.is((await muster.ask('POST', '/set-password', other)).status, 204, 'a link ends the lock');
  t.is(await lockedUntil(muster), null);
  t.truthy(await muster.signIn('anna', 'another good password'));
});

async function lockedUntil(muster: MemoryApp): Promise<string | null | undefined> {
  const { people } = await muster.admin<{ readonly people: readonly PersonRow[] }>('GET', '/people');
  return people.find(({ personId }) => personId === 'anna')?.lockedUntil;
}

test('many accounts guessed from one address lock that address, and no other', async (t) => {
  const muster = await memoryApp(t);
  await muster.person('anna', 'operator');
  const guess = (index: number) => {
    const body = { account: `guess-${index}`, password: 'not the password' };
    return muster.ask('POST', '/sign-in', { body, address: '10.1.1.1' });
  };
  for (let index = 0; index < 50; index += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, each) => guess(index + each)));
  }
  const right = { body: { account: 'anna', password: PASSWORD } };
  t.deepEqual(codeOf(await muster.ask('POST', '/sign-in', { ...right, address: '10.1.1.1' })), [429, 'LOCKED_OUT']);
  t.is((await muster.ask('POST', '/sign-in', { ...right, address: '10.1.1.2' })).status, 204);
});

test('guessing at once is no way around: no more passwords are tried than one after another', async (t) => {
  const muster = await memoryApp(t);
  await muster.person('anna', 'operator');
  const all = await Promise.all(
    Array.from({ length: 30 }, () =>
      muster.ask('POST', '/sign-in', { body: { account: 'anna', password: 'not the password' } }),
    ),
  );
  t.is(all.filter(({ status }) => status === 401).length, 5);
  t.is(all.filter(({ status }) => status === 429).length, 25);
});

test('people are made, changed and removed, and the log says who did it, why, and under which key', async (t) => {
  const muster = await memoryApp(t);
  await muster.person('anna', 'admin');
  const cookie = await muster.signIn('anna');
  const headers = { 'idempotency-key': 'make-ben' };
  const body = { personId: 'ben', name: 'Ben Ng', role: 'viewer', reason: 'a new colleague' };
  const made = await muster.ask('POST', '/people', { cookie, body, headers });
  t.like(made, {
    status: 201,
    body: { personId: 'ben', role: 'viewer', hasPassword: false, linkUntil: null, seenAt: null },
  });
  const again = await muster.ask('POST', '/people', { cookie, body, headers });
  t.deepEqual([again.status, again.headers['idempotency-replayed']], [201, 'true']);
  t.deepEqual(codeOf(await muster.ask('POST', '/people', { cookie, body })), [409, 'PERSON_EXISTS']);
  const changed = await muster.ask('PATCH', '/people/ben', { cookie, body: { role: 'operator' } });
  t.like(changed, { status: 200, body: { role: 'operator' } });
  t.deepEqual(codeOf(await muster.ask('PATCH', '/people/anna', { cookie, body: { role: 'viewer' } })), [
    409,
    'LAST_ADMIN',
  ]);
  t.deepEqual(codeOf(await muster.ask('DELETE', '/people/anna', { cookie })), [409, 'LAST_ADMIN']);
  t.deepEqual(codeOf(await muster.ask('DELETE', '/people/carl', { cookie })), [404, 'PERSON_UNKNOWN']);
  t.is((await muster.ask('DELETE', '/people/ben', { cookie, body: { reason: 'left' } })).status, 204);
  const { people } = await muster.admin<{ readonly people: readonly { readonly personId: string }[] }>(
    'GET',
    '/people',
  );
  t.deepEqual(
    people.map(({ personId }) => personId),
    ['anna'],
  );
  const events = (await fleetEvents(muster)).slice(-3);
  const actor = { kind: 'operator', id: 'anna' };
  const created = { personId: 'ben', name: 'Ben Ng', role: 'viewer' };
  const newRole = { personId: 'ben', role: 'operator', previous: 'viewer' };
  t.deepEqual(
    events.map(({ type, actor: by, reason, data }) => [type, by, reason, data]),
    [
      ['PersonCreated', actor, 'a new colleague', created],
      ['PersonRoleChanged', actor, undefined, newRole],
      ['PersonRemoved', actor, 'left', { personId: 'ben' }],
    ],
  );
  t.is(events[0]?.correlationId, 'make-ben');
});

test('what is no account or no name is told where it is wrong', async (t) => {
  const muster = await memoryApp(t);
  const post = async (body: object) => await muster.ask('POST', '/people', { key: LOCAL_KEY, body });
  const good = { personId: 'anna', name: 'Anna', role: 'viewer' };
  for (const [change, field] of [
    [{ personId: 'Anna Smith' }, 'personId'],
    [{ personId: '__proto__' }, 'personId'],
    [{ name: 'An\u0000na' }, 'name'],
    [{ role: 'root' }, 'role'],
  ] as const) {
    const answer = await post({ ...good, ...change });
    t.deepEqual([codeOf(answer), fieldOf(answer)], [[400, 'INVALID_REQUEST'], field]);
  }
  t.deepEqual(codeOf(await post({ ...good, password: PASSWORD })), [400, 'UNKNOWN_FIELD']);
  t.deepEqual(codeOf(await post({ ...good, name: 'anna@example.com' })), [400, 'NAME_IS_ADDRESS']);
  t.deepEqual(codeOf(await post({ ...good, personId: 'admin' })), [409, 'PERSON_EXISTS']);
});

test('a link sets a password once; a newer link, another password and a day make it void', async (t) => {
  const muster = await memoryApp(t);
  await muster.person('anna', 'operator');
  const set = async (token: string, password = 'another good password') =>
    codeOf(await muster.ask('POST', '/set-password', { body: { token, password } }));
  const invalid = [401, 'SIGN_IN_LINK_INVALID'];
  const [older, newer] = [await linkFor(muster, 'anna'), await linkFor(muster, 'anna')];
  t.deepEqual(await set(older), invalid);
  t.deepEqual(await set(newer, 'annaannaanna'), [400, 'PASSWORD_REFUSED'], 'it can be used again with a better one');
  t.deepEqual(await set(newer), [204, null]);
  t.deepEqual(await set(newer), invalid);
  const late = await linkFor(muster, 'anna');
  muster.jump(24 * HOUR);
  t.deepEqual(await set(late), invalid);
  const open = await linkFor(muster, 'anna');
  const cookie = await muster.signIn('anna', 'another good password');
  const change = { current: 'another good password', password: PASSWORD };
  t.is((await muster.ask('PUT', '/me/password', { cookie, body: change })).status, 204);
  t.deepEqual(await set(open), invalid);
  const left = await linkFor(muster, 'anna');
  await muster.admin('DELETE', '/people/anna');
  await muster.admin('POST', '/people', { personId: 'anna', name: 'Another Anna', role: 'admin' });
  t.deepEqual(await set(left), invalid, 'the account is somebody else now');
  t.deepEqual(await set(`anna.${'x'.repeat(43)}`), invalid);
  t.deepEqual(await set('__proto__.x'), invalid);
});

test('of two who use one link at the same moment, one sets the password', async (t) => {
  const muster = await memoryApp(t);
  await muster.admin('POST', '/people', { personId: 'anna', name: 'Anna', role: 'operator' });
  const token = await linkFor(muster, 'anna');
  const passwords = ['the first good password', 'the second good password'];
  const answers = await Promise.all(
    passwords.map((password) => muster.ask('POST', '/set-password', { body: { token, password } })),
  );
  t.deepEqual(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [204, 401],
  );
  const winner = passwords[answers.findIndex(({ status }) => status === 204)] ?? '';
  t.truthy(await muster.signIn('anna', winner));
});

test('a password is changed by who knows it; the other sessions end', async (t) => {
  const muster = await memoryApp(t);
  await muster.person('anna', 'operator');
  const [here, there] = [await muster.signIn('anna'), await muster.signIn('anna')];
  const put = (current: string, password: string, cookie = here) =>
    muster.ask('PUT', '/me/password', { cookie, body: { current, password } });
  const wrong = await put('not the password', 'another good password');
  t.deepEqual([codeOf(wrong), fieldOf(wrong)], [[400, 'PASSWORD_REFUSED'], 'current']);
  t.is(fieldOf(await put(PASSWORD, 'short')), 'password');
  t.is((await put(PASSWORD, 'another good password')).status, 204);
  t.is(typeof (await me(muster, here)), 'object');
  t.is(await me(muster, there), 401);
  t.deepEqual(codeOf(await muster.ask('POST', '/sign-in', { body: { account: 'anna', password: PASSWORD } }))[0], 401);
  t.truthy(await muster.signIn('anna', 'another good password'));
  t.deepEqual(codeOf(await put('x', PASSWORD, await muster.signInLocally())), [409, 'NO_PASSWORD']);
});

test('people see their sessions and end one, or all; signing out ends this one everywhere', async (t) => {
  const muster = await memoryApp(t);
  await muster.person('anna', 'viewer');
  const [one, two, three] = [await muster.signIn('anna'), await muster.signIn('anna'), await muster.signIn('anna')];
  const { body } = await muster.ask('GET', '/me/sessions', { cookie: one });
  const { sessions } = body as {
    readonly sessions: readonly { readonly sessionId: string; readonly current: boolean }[];
  };
  t.is(sessions.length, 4, 'with the one that set the password');
  const current = sessions.find((session) => session.current);
  t.is((await muster.ask('DELETE', `/me/sessions/${current?.sessionId ?? ''}`, { cookie: two })).status, 204);
  t.is(await me(muster, one), 401);
  const again = await muster.ask('DELETE', `/me/sessions/${current?.sessionId ?? ''}`, { cookie: two });
  t.deepEqual(codeOf(again), [404, 'BROWSER_SESSION_UNKNOWN']);
  const out = await muster.ask('POST', '/sign-out', { cookie: two });
  t.regex(String(out.headers['set-cookie']), /^muster=; /);
  t.is(await me(muster, two), 401, 'a copy of the cookie is worth nothing');
  t.is((await muster.ask('DELETE', '/me/sessions', { cookie: three })).status, 204);
  t.is(await me(muster, three), 401);
  t.is(muster.access.sessions.list('anna').length, 0);
});

test("nobody ends another's session but an admin", async (t) => {
  const muster = await memoryApp(t);
  await muster.person('anna', 'operator');
  await muster.person('ben', 'operator');
  const [anna, ben] = [await muster.signIn('anna'), await muster.signIn('ben')];
  const id = muster.access.sessions.list('ben')[0]?.sessionId ?? '';
  t.is((await muster.ask('DELETE', `/me/sessions/${id}`, { cookie: anna })).status, 404);
  t.is(typeof (await me(muster, ben)), 'object');
  const local = await muster.signInLocally();
  t.deepEqual(await muster.admin('DELETE', '/people/ben/browser-sessions'), { ended: 2 });
  t.is(await me(muster, ben), 401);
  t.deepEqual(await muster.admin('DELETE', '/people/admin/browser-sessions'), { ended: 1 });
  t.is(await me(muster, local), 401);
  t.is(typeof (await me(muster, anna)), 'object');
});

test('another role holds with the next request, and whoever is removed is out with it', async (t) => {
  const muster = await memoryApp(t);
  await muster.person('anna', 'operator');
  const cookie = await muster.signIn('anna');
  const stop = () => muster.ask('DELETE', '/sessions/none', { cookie });
  t.is((await stop()).status, 404);
  await muster.admin('PATCH', '/people/anna', { role: 'viewer' });
  t.deepEqual(codeOf(await stop()), [403, 'ROLE_NEEDED']);
  await muster.admin('DELETE', '/people/anna');
  t.is((await stop()).status, 401);
  await until(
    'swept',
    async () => [...muster.secrets.standing.keys()],
    (names) => names.length === 0,
  );
});

test('while secrets cannot be written nobody signs in, and who is signed in goes on', async (t) => {
  const muster = await memoryApp(t);
  await muster.person('anna', 'admin');
  const cookie = await muster.signIn('anna');
  muster.secrets.away = true;
  const signIn = await muster.ask('POST', '/sign-in', { body: { account: 'anna', password: PASSWORD } });
  t.deepEqual([codeOf(signIn), signIn.headers['retry-after']], [[503, 'UNAVAILABLE'], '2']);
  t.is((await muster.ask('GET', '/agents', { cookie })).status, 200);
  const issue = { cookie, body: { name: 'jobs', role: 'viewer' } };
  t.deepEqual(codeOf(await muster.ask('POST', '/keys', issue)), [503, 'UNAVAILABLE']);
  const out = await muster.ask('POST', '/sign-out', { cookie });
  t.deepEqual(codeOf(out), [503, 'UNAVAILABLE']);
  t.regex(String(out.headers['set-cookie']), /^muster=; /, 'the browser forgets it all the same');
  muster.secrets.away = false;
  t.is((await muster.ask('DELETE', '/people/none', { cookie })).status, 404);
});
