import test, { type ExecutionContext } from 'ava';
import type { Rejection } from '../../domain/decision.ts';
import type { FleetFact } from '../../domain/events.ts';
import type { FleetCommand } from '../../domain/fleet/commands.ts';
import { decideFleet } from '../../domain/fleet/decide.ts';
import { evolveFleet } from '../../domain/fleet/evolve.ts';
import { initialFleet } from '../../domain/fleet/state.ts';
import { isExpired, KEYS_LIMIT } from '../../domain/keys/state.ts';
import { ACCOUNT_PATTERN, NAME_PATTERN } from '../../domain/people/account.ts';
import { passwordProblem } from '../../domain/people/password.ts';
import { isEnough, ROLES, type Role } from '../../domain/people/role.ts';
import { PEOPLE_LIMIT } from '../../domain/people/state.ts';
import { keysInOrder, keyView, peopleInOrder, personView } from '../../projections/people.ts';

const NOW = '2026-11-01T12:00:00.000Z';
const LATER = '2026-11-02T12:00:00.000Z';

const create = (personId: string, role: Role = 'operator', name = 'Anna Smith'): FleetCommand => ({
  type: 'CreatePerson',
  personId,
  name,
  role,
});
const created = (personId: string, role: Role = 'operator'): FleetFact => ({
  type: 'PersonCreated',
  data: { personId, name: 'Anna Smith', role },
});
const removed = (personId: string): FleetFact => ({ type: 'PersonRemoved', data: { personId } });
const remove = (personId: string): FleetCommand => ({ type: 'RemovePerson', personId });
const changeRole = (personId: string, role: Role): FleetCommand => ({ type: 'ChangePersonRole', personId, role });
const roleChanged = (personId: string, role: Role, previous: Role): FleetFact => ({
  type: 'PersonRoleChanged',
  data: { personId, role, previous },
});

const keyData = (keyId: string, expiresAt: string | null = null) => ({
  keyId,
  name: 'nightly jobs',
  role: 'operator' as const,
  expiresAt,
  fingerprint: 'f1',
});
const issue = (keyId: string, expiresAt: string | null = null): FleetCommand => ({
  type: 'IssueAccessKey',
  ...keyData(keyId, expiresAt),
});
const issued = (keyId: string, expiresAt: string | null = null): FleetFact => ({
  type: 'AccessKeyIssued',
  data: keyData(keyId, expiresAt),
});
const revoke = (keyId: string): FleetCommand => ({ type: 'RevokeAccessKey', keyId });
const revoked = (keyId: string): FleetFact => ({ type: 'AccessKeyRevoked', data: { keyId } });

function given(...facts: readonly FleetFact[]) {
  const state = initialFleet();
  for (const [index, fact] of facts.entries()) evolveFleet(state, fact, { version: index + 1, time: NOW });
  return {
    state,
    when(command: FleetCommand, now = NOW) {
      const decision = decideFleet(state, command, { allowedRegistries: [], version: facts.length, now });
      return {
        expect(t: ExecutionContext, expected: readonly FleetFact[]) {
          t.deepEqual(decision.kind === 'accepted' ? decision.facts : decision.rejection, expected);
        },
        refused(t: ExecutionContext, code: Rejection['code']) {
          t.is(decision.kind === 'rejected' ? decision.rejection.code : null, code);
        },
      };
    },
  };
}

test('an account is created once; once its person is removed, another may have it', (t) => {
  given()
    .when(create('anna'))
    .expect(t, [created('anna')]);
  given(created('anna')).when(create('anna', 'viewer')).refused(t, 'PERSON_EXISTS');
  given(created('anna'), removed('anna'))
    .when(create('anna'))
    .expect(t, [created('anna')]);
});

test('who gets an account that another had before is somebody else', (t) => {
  const { state } = given(created('anna'), created('ben'), removed('anna'), created('anna'));
  t.is(state.people.get('anna')?.serial, 3);
  t.is(state.people.get('ben')?.serial, 2);
});

test('nobody can take the account of the administrator on the machine, nor give an e-mail address as a name', (t) => {
  given().when(create('admin')).refused(t, 'PERSON_EXISTS');
  given()
    .when(create('anna', 'viewer', 'anna@example.com'))
    .refused(t, 'NAME_IS_ADDRESS');
  given()
    .when({ ...issue('k1'), name: 'ops <ops@example.com>' } as FleetCommand)
    .refused(t, 'NAME_IS_ADDRESS');
});

test('a role is changed with what it was before; the same role again is nothing', (t) => {
  given(created('anna'))
    .when(changeRole('anna', 'viewer'))
    .expect(t, [roleChanged('anna', 'viewer', 'operator')]);
  given(created('anna')).when(changeRole('anna', 'operator')).expect(t, []);
  given().when(changeRole('anna', 'viewer')).refused(t, 'PERSON_UNKNOWN');
  t.is(given(created('anna'), roleChanged('anna', 'viewer', 'operator')).state.people.get('anna')?.role, 'viewer');
});

test('the last admin is neither removed nor demoted; the second last is', (t) => {
  const one = given(created('anna', 'admin'), created('ben'));
  one.when(remove('anna')).refused(t, 'LAST_ADMIN');
  one.when(changeRole('anna', 'operator')).refused(t, 'LAST_ADMIN');
  one.when(changeRole('anna', 'admin')).expect(t, []);
  one.when(remove('ben')).expect(t, [removed('ben')]);
  const two = given(created('anna', 'admin'), created('ben'), roleChanged('ben', 'admin', 'operator'));
  two.when(remove('anna')).expect(t, [removed('anna')]);
  two.when(changeRole('ben', 'viewer')).expect(t, [roleChanged('ben', 'viewer', 'admin')]);
  given().when(remove('anna')).refused(t, 'PERSON_UNKNOWN');
});

test('there are at most 1,000 people', (t) => {
  const people = Array.from({ length: PEOPLE_LIMIT }, (_, index) => created(`p${index}`));
  given(...people)
    .when(create('anna'))
    .refused(t, 'PEOPLE_FULL');
  given(...people, removed('p7'))
    .when(create('anna'))
    .expect(t, [created('anna')]);
});

test('a key is issued and revoked; what is revoked is gone', (t) => {
  given()
    .when(issue('k1', LATER))
    .expect(t, [issued('k1', LATER)]);
  given(issued('k1')).when(issue('k1')).refused(t, 'KEY_EXISTS');
  given(issued('k1'))
    .when(revoke('k1'))
    .expect(t, [revoked('k1')]);
  given(issued('k1'), revoked('k1')).when(revoke('k1')).refused(t, 'KEY_UNKNOWN');
  given().when(issue('k1', NOW)).refused(t, 'EXPIRY_PAST');
});

test('a key expires by its time, without an event; then it does not count, and can still be revoked', (t) => {
  const [before, at] = [Date.parse(LATER) - 1, Date.parse(LATER)];
  t.deepEqual(
    [before, at].map((now) => isExpired({ expiresAt: LATER }, now)),
    [false, true],
  );
  t.false(isExpired({ expiresAt: null }, at));
  const keys = Array.from({ length: KEYS_LIMIT }, (_, index) => issued(`k${index}`, index < 2 ? LATER : null));
  const full = given(...keys);
  full.when(issue('one-more')).refused(t, 'KEYS_FULL');
  full.when(issue('one-more'), LATER).expect(t, [issued('one-more')]);
  full.when(revoke('k0'), LATER).expect(t, [revoked('k0')]);
});

test('expired keys stay on the list until they are in the way of a new one', (t) => {
  const { state } = given(...Array.from({ length: KEYS_LIMIT - 1 }, (_, index) => issued(`k${index}`, LATER)));
  const at = { version: 9000, time: LATER };
  evolveFleet(state, issued('a'), at);
  t.is(state.keys.size, KEYS_LIMIT, 'there was room');
  evolveFleet(state, issued('b'), at);
  t.deepEqual([...state.keys.keys()], ['a', 'b']);
});

test('people are listed by account, keys the newest first and with whether they have expired', (t) => {
  const { state } = given(created('ben'), created('anna', 'admin'), issued('k1', LATER), issued('k2'));
  t.deepEqual(peopleInOrder(state).map(personView), [
    { personId: 'anna', name: 'Anna Smith', role: 'admin', createdAt: NOW },
    { personId: 'ben', name: 'Anna Smith', role: 'operator', createdAt: NOW },
  ]);
  const views = keysInOrder(state).map((key) => keyView(key, Date.parse(LATER)));
  t.deepEqual(views, [
    { ...keyData('k2'), issuedAt: NOW, expired: false },
    { ...keyData('k1', LATER), issuedAt: NOW, expired: true },
  ]);
});

test('a role may do all that the ones before it may', (t) => {
  const table = ROLES.map((held) => ROLES.map((needed) => isEnough(held, needed)));
  t.deepEqual(table, [
    [true, false, false],
    [true, true, false],
    [true, true, true],
  ]);
});

test('a password is judged by its length and by what everybody knows, not by its characters', (t) => {
  const anna = { personId: 'anna', name: 'Anna Smith' };
  for (const good of [
    'correct horse battery',
    'annaannaanna1',
    '            x',
    'пароль из слов',
    '🐎'.repeat(11) + 'x',
  ]) {
    t.is(passwordProblem(good, anna), null, good);
  }
  t.regex(passwordProblem('short', anna) ?? '', /at least 12 characters; this one has 5/);
  t.regex(passwordProblem('🐎'.repeat(11), anna) ?? '', /has 11/);
  t.regex(passwordProblem('ab'.repeat(65), anna) ?? '', /at most 128/);
  for (const known of ['annaannaanna', 'ANNA smith anna', 'Anna SmithAnna Smith']) {
    t.regex(passwordProblem(known, anna) ?? '', /the name/, known);
  }
  t.regex(passwordProblem('aaaaaaaaaaaa', anna) ?? '', /over and over/);
});

test('an account is small letters, digits, "_" and "-"; a name is anything that can be read', (t) => {
  t.deepEqual(
    ['anna', 'a', '7of9', 'anna_s-2', 'x'.repeat(64)].filter((text) => !ACCOUNT_PATTERN.test(text)),
    [],
  );
  const none = ['', 'Anna', 'anna.s', 'a@b', '-a', 'a b', 'x'.repeat(65), 'ä', '__proto__', 'a\n'];
  t.deepEqual(
    none.filter((text) => ACCOUNT_PATTERN.test(text)),
    [],
  );
  t.deepEqual(
    ['Anna Smith', '李雷', 'Zoë', 'x'.repeat(120)].filter((text) => !NAME_PATTERN.test(text)),
    [],
  );
  const unreadable = ['', 'a\u001B[2J', 'a\nb', '\u202Eabc', 'x'.repeat(121), 'a\n'];
  t.deepEqual(
    unreadable.filter((text) => NAME_PATTERN.test(text)),
    [],
  );
});
