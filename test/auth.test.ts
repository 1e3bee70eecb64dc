import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { openAccess } from '../gateway/auth/access.ts';
import { BrowserSessions, MOST_OF_ONE } from '../gateway/auth/browserSessions.ts';
import { AccessKeys } from '../gateway/auth/keys.ts';
import { ManagerTokens } from '../gateway/auth/managerTokens.ts';
import { LockOut } from '../gateway/auth/lockOut.ts';
import { Passwords } from '../gateway/auth/passwords.ts';
import { placeOf } from '../gateway/auth/place.ts';
import { SignInTokens } from '../gateway/auth/signInTokens.ts';
import { browserFamily } from '../gateway/auth/userAgent.ts';
import { Turns } from '../gateway/turns.ts';
import { initialFleet } from '../domain/fleet/state.ts';
import type { Person } from '../domain/people/state.ts';
import { createMemorySecrets, sharedSecrets } from '../infra/secrets/memory.ts';
import { temporaryFolder } from './support/folder.ts';
import { manualClock } from './support/manualClock.ts';

const START = Date.UTC(2026, 10, 22);
const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];

test('a password matches its own hash and no other, whichever way its characters were typed', async (t) => {
  const passwords = new Passwords();
  const hash = await passwords.hash('correct horse Zo\u00EB');
  t.regex(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  t.true(await passwords.matches('correct horse Zoe\u0308', hash));
  t.false(await passwords.matches('correct horse Zoe', hash));
  t.not(await passwords.hash('correct horse Zo\u00EB'), hash, 'the same password of another person looks different');
  await t.throwsAsync(passwords.matches('x', 'no hash'), { instanceOf: RangeError });
});

test('nobody has a password, and it takes the same work to find that out', async (t) => {
  const passwords = new Passwords();
  t.false(await passwords.matches('', null));
  const known = await timeOf(() => passwords.matches('wrong', HASH));
  const nobody = await timeOf(() => passwords.matches('wrong', null));
  t.true(nobody > known / 4 && nobody < known * 4, `${nobody} ms for nobody, ${known} ms for somebody`);
});

/** Of an empty password, of the ordinary cost. */
const HASH = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;

/** The fastest of a few, since other tests run beside. */
async function timeOf(work: () => Promise<unknown>): Promise<number> {
  let least = Infinity;
  for (let count = 0; count < 5; count += 1) {
    const start = performance.now();
    await work();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

test('a hash of another cost is still understood', async (t) => {
  const cheap = '$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$';
  const { argon2Sync } = await import('node:crypto');
  const nonce = Buffer.from('c29tZXNhbHRzb21lc2FsdA', 'base64');
  const cost = { memory: 64, passes: 1, parallelism: 1, tagLength: 32 };
  const tag = argon2Sync('argon2id', { ...cost, message: 'old password', nonce });
  const passwords = new Passwords();
  const hash = `${cheap}${tag.toString('base64').replaceAll('=', '')}`;
  t.deepEqual(await Promise.all(['old password', 'new'].map((each) => passwords.matches(each, hash))), [true, false]);
});

test('two passwords are looked at at a time, some wait, and more are turned away at once', async (t) => {
  const passwords = new Passwords();
  const all = await Promise.allSettled(Array.from({ length: 50 }, () => passwords.matches('x', CHEAP)));
  const refused = all.flatMap((each) => (each.status === 'rejected' ? [each.reason as { readonly code: string }] : []));
  t.deepEqual([all.length - refused.length, new Set(refused.map(({ code }) => code))], [42, new Set(['BUSY'])]);
  t.false(await passwords.matches('x', CHEAP), 'it goes on afterwards');
});

const CHEAP = `$argon2id$v=19$m=64,t=1,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;

test('never more than so many turns run, whatever ends and begins meanwhile', async (t) => {
  const turns = new Turns({ atOnce: 2, mostWaiting: 100 }, () => new Error('busy'));
  let [running, most] = [0, 0];
  const work = async () => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
    if (most < 0) throw new Error('never');
  };
  await Promise.all(
    Array.from({ length: 30 }, async () => {
      await turns.run(work);
      await turns.run(work);
    }),
  );
  t.deepEqual([most, running], [2, 0]);
});

test('guessing becomes slow: five tries, then a wait that doubles up to a quarter of an hour', async (t) => {
  const clock = manualClock(START);
  const lock = new LockOut(clock, { free: 5, firstMs: 30_000, mostMs: 15 * MINUTE });
  const waits: number[] = [];
  for (let tries = 1; tries <= 12; tries += 1) {
    lock.count('anna');
    waits.push(lock.waitMs('anna') / 1000);
    await clock.advance(lock.waitMs('anna'));
  }
  t.deepEqual(waits, [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
  t.is(lock.waitMs('anna'), 0);
  t.is(lock.waitMs('ben'), 0);
  lock.clear('anna');
  lock.count('anna');
  t.is(lock.waitMs('anna'), 0, 'a right password begins anew');
});

test('an hour without a try forgets all, and a try that was right is taken back', async (t) => {
  const clock = manualClock(START);
  const lock = new LockOut(clock, { free: 2, firstMs: 1000, mostMs: 2000 });
  lock.count('a');
  await clock.advance(HOUR + 1);
  lock.count('a');
  t.is(lock.waitMs('a'), 0);
  lock.takeBack('a');
  lock.count('a');
  t.is(lock.waitMs('a'), 0);
  lock.count('a');
  t.is(lock.waitMs('a'), 1000);
});

test('however many names are tried, the memory of it is bounded', (t) => {
  const clock = manualClock(START);
  const lock = new LockOut(clock, { free: 1, firstMs: MINUTE, mostMs: MINUTE });
  lock.count('first');
  for (let index = 0; index < 10_000; index += 1) lock.count(`name-${index}`);
  t.is(lock.waitMs('first'), 0, 'the one tried longest ago was forgotten');
  t.is(lock.waitMs('name-0'), MINUTE);
});

test('sign-in tokens work once and end by the clock', async (t) => {
  const clock = manualClock(START);
  const tokens = new SignInTokens(clock);
  const [good, late] = [tokens.make().token, tokens.make().token];
  t.deepEqual([tokens.redeem(good), tokens.redeem(good), tokens.redeem('guess')], [true, false, false]);
  await clock.advance(15 * MINUTE);
  t.false(tokens.redeem(late));
});

const anna: Person = { personId: 'anna', name: 'Anna', role: 'operator', serial: 1, createdAt: '' };

function sessionsOf(clock = manualClock(START)) {
  const people = new Map([['anna', anna]]);
  const shared = sharedSecrets();
  const open = () =>
    new BrowserSessions({
      secrets: createMemorySecrets(shared),
      fleet: () => ({ people, peopleEver: 1 }),
      clock,
      onTrouble: () => {},
    });
  return { clock, people, shared, open, sessions: open() };
}

test('a browser is signed in until it was idle for twelve hours, and for seven days at most', async (t) => {
  const { clock, sessions } = sessionsOf();
  const idle = await sessions.begin('anna', undefined);
  await clock.advance(12 * HOUR - 1);
  t.truthy(sessions.find(idle));
  const forgotten = await sessions.begin('anna', undefined);
  await clock.advance(12 * HOUR);
  t.is(sessions.find(forgotten), null);
  const busy = await sessions.begin('anna', undefined);
  for (let hours = 0; hours < 7 * 24; hours += 6) {
    t.is(sessions.find(busy)?.role, 'operator', `after ${hours} h`);
    await clock.advance(6 * HOUR);
  }
  t.is(sessions.find(busy), null);
});

test('every gateway knows of a session and of its end; nothing that is kept can be shown as a cookie', async (t) => {
  const { sessions, open, shared } = sessionsOf();
  const other = open();
  const cookie = await sessions.begin('anna', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0');
  const found = other.find(cookie);
  t.like(found, { personId: 'anna', role: 'operator', expiresAt: START + 12 * HOUR });
  t.like(open().find(cookie), { personId: 'anna' }, 'after a restart too');
  t.like(other.list('anna')[0], { browser: 'Firefox on Linux', sessionId: found?.sessionId });
  const kept = JSON.stringify([...shared.standing]);
  t.false(kept.includes(cookie.slice(3)));
  t.is(sessions.find(`v2.${found?.sessionId ?? ''}`), null, 'the id of a session is no cookie');
  t.false(await other.end('ben', found?.sessionId ?? ''), "nobody ends another's session");
  t.true(await other.end('anna', found?.sessionId ?? ''));
  t.deepEqual([sessions.find(cookie), other.find(cookie)], [null, null]);
});

test('a role holds at once, and a session ends with its person, for ever', async (t) => {
  const { sessions, people } = sessionsOf();
  const cookie = await sessions.begin('anna', undefined);
  people.set('anna', { ...anna, role: 'viewer' });
  t.is(sessions.find(cookie)?.role, 'viewer');
  people.delete('anna');
  t.is(sessions.find(cookie), null);
  t.is(sessions.dead.length, 1);
  people.set('anna', { ...anna, serial: 2 });
  t.is(sessions.find(cookie), null, 'somebody else has the account now');
  await t.throwsAsync(sessions.begin('ben', undefined), { instanceOf: RangeError });
});

test('one person has a bounded number of sessions; the one seen longest ago gives way', async (t) => {
  const { sessions, clock } = sessionsOf();
  const cookies: string[] = [];
  for (let count = 0; count <= MOST_OF_ONE; count += 1) {
    cookies.push(await sessions.begin('anna', undefined));
    await clock.advance(MINUTE);
  }
  t.is(sessions.list('anna').length, MOST_OF_ONE);
  t.is(sessions.find(cookies[0] ?? ''), null);
  t.truthy(sessions.find(cookies[1] ?? ''));
  t.is(await sessions.endAll('anna', sessions.find(cookies[5] ?? '')?.sessionId), MOST_OF_ONE - 1);
  t.deepEqual(cookies.map((cookie) => sessions.find(cookie) !== null).filter(Boolean), [true]);
});

test('when a browser was seen is written now and then, and reading goes on while nothing can be written', async (t) => {
  const { sessions, shared, clock } = sessionsOf();
  const cookie = await sessions.begin('anna', undefined);
  const revisions = () => shared.last;
  const before = revisions();
  for (let count = 0; count < 5; count += 1) sessions.find(cookie);
  await clock.advance(9 * MINUTE);
  sessions.find(cookie);
  t.is(revisions(), before);
  await clock.advance(2 * MINUTE);
  for (let count = 0; count < 5; count += 1) sessions.find(cookie);
  await clock.advance(0);
  t.is(revisions(), before + 1);
  shared.away = true;
  await clock.advance(DAY / 4);
  t.truthy(sessions.find(cookie));
  await t.throwsAsync(sessions.begin('anna', undefined), { code: 'SECRETS_UNAVAILABLE' });
});

function managerTokens() {
  const clock = manualClock(START + 90_000);
  const fleet = initialFleet();
  const shared = sharedSecrets();
  const open = () => new ManagerTokens(createMemorySecrets(shared), () => fleet, clock);
  const issue = (tokenId: string) => {
    fleet.managerTokens.set(tokenId, { tokenId, fingerprint: 'f', issuedAt: '' });
  };
  return { clock, fleet, shared, open, issue, tokens: open() };
}

test('a manager token admits from its being recorded to its being revoked, on every gateway', async (t) => {
  const { clock, fleet, shared, open, issue, tokens } = managerTokens();
  const { tokenId, text, fingerprint } = await tokens.make();
  t.regex(text, new RegExp(`^mt_${tokenId}_[\\w-]{43}$`));
  t.regex(fingerprint, /^[0-9a-f]{16}$/);
  t.deepEqual([tokens.verify(text), tokens.textOf(tokenId)], [null, null], 'nothing is recorded yet');
  issue(tokenId);
  const other = open();
  t.is(other.verify(text), tokenId);
  t.is(other.textOf(tokenId), text, 'a rotation hands it on');
  t.is(other.lastUsedAt(tokenId), START + 60_000);
  t.is(tokens.lastUsedAt(tokenId), null, 'each gateway tells of itself');
  await clock.advance(60_000);
  for (const wrong of [`${text.slice(0, -1)}!`, `${text}x`, text.replace('mt_', 'mk_'), tokenId, '']) {
    t.is(other.verify(wrong), null, wrong.slice(0, 3));
  }
  t.is(other.lastUsedAt(tokenId), START + 60_000, 'a wrong one is no use of it');
  fleet.managerTokens.delete(tokenId);
  t.deepEqual([other.verify(text), other.textOf(tokenId)], [null, null]);
  await other.forget(tokenId);
  t.is(shared.standing.size, 0);
  t.is(other.lastUsedAt(tokenId), null);
});

test("one manager token's secret does not go with another's id", async (t) => {
  const { issue, tokens } = managerTokens();
  const [one, two] = [await tokens.make(), await tokens.make()];
  for (const { tokenId } of [one, two]) issue(tokenId);
  t.is(tokens.verify(one.text.replace(one.tokenId, two.tokenId)), null);
  t.deepEqual([tokens.verify(one.text), tokens.verify(two.text)], [one.tokenId, two.tokenId]);
});

test('a browser is told by its family and system, and no more', (t) => {
  const chrome =
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36';
  t.deepEqual(
    [
      browserFamily(chrome),
      browserFamily(`${chrome} Edg/140.0`),
      browserFamily(
        'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604',
      ),
      browserFamily('curl/8'),
      browserFamily(undefined),
      browserFamily(`Firefox/${'9'.repeat(100_000)}`),
    ],
    ['Chrome on Windows', 'Edge on Windows', 'Safari on iOS', 'another program', 'another program', 'Firefox'],
  );
});

test('tries are counted by address, and of an IPv6 network together', (t) => {
  const places = [
    '10.1.2.3',
    '::ffff:10.1.2.3',
    '2001:db8:1:2:3:4:5:6',
    '2001:db8:1:2::9',
    '2001:0DB8:1:2::9%eth0',
    '2001:db8:1:3::9',
    'fe80::1',
    '::1',
    '::',
  ].map(placeOf);
  t.deepEqual(places, [
    '10.1.2.3',
    '10.1.2.3',
    '2001:db8:1:2::/64',
    '2001:db8:1:2::/64',
    '2001:db8:1:2::/64',
    '2001:db8:1:3::/64',
    'fe80:0:0:0::/64',
    '0:0:0:0::/64',
    '0:0:0:0::/64',
  ]);
});

test("a key that was issued to somebody cannot be a gateway's own", async (t) => {
  const clock = manualClock(START);
  const secrets = createMemorySecrets();
  const ports = { dataDir: '/nowhere', secrets, fleet: initialFleet, clock, onTrouble: () => {} };
  const { text } = await new AccessKeys(secrets, initialFleet, clock).make();
  await t.throwsAsync(openAccess({ ...ports, adminKey: text }), { code: 'ADMIN_KEY_ISSUED' });
  t.truthy(await openAccess({ ...ports, adminKey: 'the key of this machine' }));
});

test('the key of the machine is made for its owner alone, kept, and not used once others can read it', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data');
  const secrets = createMemorySecrets();
  const ports = { dataDir, adminKey: undefined, secrets, fleet: initialFleet, clock: manualClock(START) };
  const open = () => openAccess({ ...ports, onTrouble: () => {} });
  await open();
  const path = join(dataDir, 'admin.key');
  t.is((await stat(path)).mode & 0o777, 0o600);
  const { ino } = await stat(path);
  await open();
  t.is((await stat(path)).ino, ino);
  await chmod(path, 0o640);
  await t.throwsAsync(open, { code: 'PRIVATE_FILE', message: /admin\.key is open to others .*chmod 600/ });
});
