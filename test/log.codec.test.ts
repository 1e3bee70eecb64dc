import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { testProp, fc } from '@fast-check/ava';
import test from 'ava';
import canonicalize from 'canonicalize';
import type { Commit } from '../domain/commit.ts';
import { allEvents, eventEnvelope, type AnyEvent } from '../domain/events.ts';
import { decodeCommit, encodeCommit, encodeEvent, nextCommit } from '../infra/log/codec.ts';
import { eventId } from '../infra/log/eventId.ts';
import { UPCASTERS, currentSchemaVersion, type Upcasters } from '../infra/log/upcasters.ts';
import { someCommit, someEvent } from './support/commits.ts';
import { jsonBytes } from './support/logs.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures/events');

test('every event type has a golden file, and there is no other', async (t) => {
  const files = await readdir(FIXTURES);
  const older = Object.entries(UPCASTERS).flatMap(([type, steps]) =>
    Object.keys(steps).map((version) => `${type}.${version}`),
  );
  t.deepEqual(
    files.map((file) => file.replace(/\.json$/, '')).toSorted(),
    [...Object.keys(allEvents), ...older].toSorted(),
  );
});

for (const [type, steps] of Object.entries(UPCASTERS)) {
  for (const version of Object.keys(steps)) {
    test(`the golden ${type} of version ${version} is read as one of today`, async (t) => {
      const old: Record<string, unknown> = JSON.parse(
        await readFile(join(FIXTURES, `${type}.${version}.json`), 'utf8'),
      );
      t.is(old['schemaVersion'], Number(version));
      const bytes = jsonBytes({ ...commitOf(old) });
      const [event] = decodeCommit(bytes).commit.events;
      t.is(event?.schemaVersion, currentSchemaVersion(type, UPCASTERS));
      t.true(allEvents[event?.type ?? 'AgentBooted'].safeParse(event?.data).success);
    });
  }
}

for (const type of Object.keys(allEvents)) {
  test(`the golden ${type} is still valid and is read back as it was written`, async (t) => {
    const event: unknown = JSON.parse(await readFile(join(FIXTURES, `${type}.json`), 'utf8'));
    assertGolden(event, type);
    const commit = commitOf(event);
    const { bytes, hash } = encodeCommit(commit);
    t.deepEqual(decodeCommit(bytes), { commit, hash });
  });
}

test('the bytes are canonical JSON and the hash is SHA-256 over them', (t) => {
  const { bytes, hash } = encodeCommit(someCommit(null, 'key'));
  t.is(
    Buffer.from(bytes).toString('utf8'),
    '{"at":"2026-11-01T12:00:00.000Z","commands":[{"key":"key","outcome":{"accepted":true},"requestHash":"hash"}],' +
      '"events":[{"actor":{"id":"op-1","kind":"operator"},"causationId":"key","correlationId":"key",' +
      '"data":{"agentId":"agent-1"},"id":"4888ffe8-2a7d-8964-bbd4-fa329f150996","occurredAt":"2026-11-01T12:00:00.000Z",' +
      '"schemaVersion":1,"type":"AgentEnabled"}],"logId":"log-of-tests","previousHash":"","rulesVersion":3,"version":1}',
  );
  t.is(hash, createHash('sha256').update(bytes).digest('hex'));
});

/** What a schema takes for the name of a field; the one that it does not take is refused, as a test below says. */
const fieldName = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((name) => name !== '__proto__');

testProp(
  'the bytes do not depend on the order in which fields were set',
  [
    fc.dictionary(
      fieldName,
      fc.oneof(fc.string({ unit: 'grapheme' }), fc.double({ noDefaultInfinity: true, noNaN: true }), fc.constant(null)),
    ),
    fc.infiniteStream(fc.nat()),
  ],
  (t, outcome, order) => {
    const commit = withOutcome(outcome);
    const { bytes } = encodeCommit(commit);
    t.deepEqual(encodeCommit(shuffled(commit, order)).bytes, bytes);
    t.is(canonicalize(commit), Buffer.from(bytes).toString('utf8'));
  },
);

test('a field named __proto__ would not be read back as it was written, and is refused', (t) => {
  const outcome = JSON.parse('{"__proto__":1}') as Record<string, number>;
  const error = t.throws(() => encodeCommit(withOutcome(outcome)), { code: 'INVALID_COMMIT' });
  t.regex(error?.message ?? '', /commands\.0\.outcome\.__proto__/);
});

test('events that were encoded as they came give the same bytes as events encoded with their commit', (t) => {
  const events = [someEvent('1'), someEvent('2'), { ...someEvent('3'), reason: 'drain “now”' }];
  const input = { previous: null, newLogId: 'a', at: AT, events, commands: [] };
  const texts = events.map((event) => encodeEvent(event));
  t.deepEqual(encodeCommit(nextCommit({ ...input, texts })), encodeCommit(nextCommit(input)));
  t.throws(() => nextCommit({ ...input, texts: texts.slice(1) }), { instanceOf: RangeError });
});

test('the next commit keeps the logId, counts on and names the hash of the one before', (t) => {
  const first = nextCommit({ previous: null, newLogId: 'a', at: AT, events: [someEvent('1')], commands: [] });
  const previous = { commit: first, hash: encodeCommit(first).hash };
  const second = nextCommit({ previous, newLogId: 'b', at: AT, events: [someEvent('2')], commands: [] });
  t.like(first, { logId: 'a', version: 1, previousHash: '' });
  t.like(second, { logId: 'a', version: 2, previousHash: previous.hash });
});

const refusals: readonly (readonly [string, unknown, RegExp])[] = [
  ['an unknown field of the commit', { ...someCommit(null, 'k'), extra: 1 }, /the commit, field "extra"/],
  [
    'an unknown field of an event',
    commitOf({ ...someEvent('k'), extra: 1 }),
    /event 0 \(AgentEnabled\), field "extra"/,
  ],
  [
    'an unknown field of the data',
    withData({ agentId: 'a', extra: 1 }),
    /event 0 \(AgentEnabled\), data, field "extra"/,
  ],
  ['an invalid value', withData({ agentId: 'no spaces' }), /event 0 \(AgentEnabled\), data, field "agentId"/],
  [
    'an unknown event type',
    commitOf({ ...someEvent('k'), type: 'AgentAscended' }),
    /AgentAscended.*no such event type/,
  ],
  ['a schema version that this build does not write', commitOf({ ...someEvent('k'), schemaVersion: 2 }), /writes 1/],
  ['an outcome within an outcome', withOutcome({ inner: { a: 1 } }), /the commit, field "commands.0.outcome.inner"/],
  ['an unknown field of a command', withCommand({ extra: 1 }), /the commit, field "commands.0.extra"/],
  ['a command without a key', withCommand({ key: '' }), /the commit, field "commands.0.key"/],
  ['a number that is none', withOutcome({ a: Number.NaN }), /the commit, field "commands.0.outcome.a"/],
  ['a name that a schema loses', withOutcome(JSON.parse('{"__proto__":{}}')), /field "commands.0.outcome.__proto__"/],
  ['half a character', withOutcome({ text: '\uD800' }), /no canonical JSON/],
];

for (const [what, commit, message] of refusals) {
  test(`writing refuses ${what}`, (t) => {
    t.throws(() => encodeUnchecked(commit), { code: 'INVALID_COMMIT', message });
  });
}

test('a commit that was read is written as the bytes that it was read from, though it could not be made today', async (t) => {
  const later = commitOf({ ...someEvent('k'), data: { agentId: 'a', later: true } });
  const lifted = commitOf(JSON.parse(await readFile(join(FIXTURES, 'AgentBooted.1.json'), 'utf8')));
  for (const written of [later, lifted]) {
    const bytes = jsonBytes(written);
    const { commit, hash } = decodeCommit(bytes);
    t.deepEqual(encodeCommit(commit), { bytes, hash });
    t.throws(() => encodeCommit(written), { code: 'INVALID_COMMIT' });
  }
});

test('reading tolerates a field that a later build may have added', (t) => {
  const commit = {
    ...someCommit(null, 'k'),
    events: [{ ...someEvent('k'), data: { agentId: 'a', later: true } }],
    new: 1,
  };
  t.like(decodeCommit(jsonBytes(commit)).commit, { version: 1, new: 1 });
});

for (const [what, bytes] of [
  ['no text', Buffer.from([0xff, 0xfe])],
  ['no JSON', Buffer.from('{')],
  ['no object', Buffer.from('[]')],
  ['a commit without events', jsonBytes({ ...someCommit(null, 'k'), events: [] })],
  ['a commit without a version', jsonBytes({ ...someCommit(null, 'k'), version: '1' })],
  [
    'an event without data',
    jsonBytes({ ...someCommit(null, 'k'), events: [{ type: 'AgentEnabled', schemaVersion: 1 }] }),
  ],
] as const) {
  test(`reading ${what} says that the log is corrupt`, (t) => {
    t.throws(() => decodeCommit(bytes), { code: 'LOG_CORRUPT' });
  });
}

test('reading a later schema version says that the event is unknown', (t) => {
  const bytes = jsonBytes(commitOf({ ...someEvent('k'), schemaVersion: 2 }));
  t.throws(() => decodeCommit(bytes), {
    code: 'UNKNOWN_EVENT',
    message: /commit 1: AgentEnabled has schema version 2/,
  });
});

test('an old event is brought to the current version, step by step, and its hash stays', (t) => {
  const upcasters: Upcasters = {
    AgentEnabled: {
      1: (data) => ({ ...Object(data), host: 'agent-9' }),
      2: (data) => ({ agentId: Object(data).host }),
    },
  };
  const old = encodeCommit(someCommit(null, 'k'));
  const { commit, hash } = decodeCommit(old.bytes, upcasters);
  t.deepEqual(commit.events, [{ ...someEvent('k'), schemaVersion: 3, data: { agentId: 'agent-9' } }]);
  t.is(hash, old.hash);
  t.throws(() => encodeCommit(someCommit(null, 'k'), upcasters), { code: 'INVALID_COMMIT', message: /writes 3/ });
  const wrong: Upcasters = { AgentEnabled: { 1: () => ({ agentId: 7 }) } };
  t.throws(() => decodeCommit(old.bytes, wrong), { code: 'LOG_CORRUPT', message: /after upcasting/ });
});

test('an event id is a UUID of version 8 that only the command and the index decide', (t) => {
  const ids = ['a', 'b', 'a:1'].flatMap((key) => [0, 1, 11].map((index) => eventId(key, index)));
  t.is(new Set(ids).size, ids.length);
  for (const id of ids) t.regex(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.true(ids.every((id) => eventEnvelope.shape.id.safeParse(id).success));
  t.is(eventId('a', 0), eventId('a', 0));
});

const AT = '2026-11-01T12:00:00.000Z';

function commitOf(event: AnyEvent | object): Commit {
  return { ...someCommit(null, 'k'), events: [event as AnyEvent] };
}

function withData(data: object): Commit {
  return commitOf({ ...someEvent('k'), data });
}

function withOutcome(outcome: Readonly<Record<string, unknown>>): Commit {
  return withCommand({ outcome });
}

function withCommand(fields: object): Commit {
  const command = { key: 'k', requestHash: '', outcome: {}, ...fields };
  return { ...someCommit(null, 'k'), commands: [command] };
}

/** What no caller with types can do; the codec is the last line. */
function encodeUnchecked(commit: unknown): void {
  encodeCommit(commit as Commit);
}

function assertGolden(event: unknown, type: string): asserts event is AnyEvent {
  const { type: actual } = eventEnvelope.parse(event);
  if (actual !== type) throw new Error(`the golden file of ${type} holds a ${actual}`);
}

/** The same value with the fields of every object set in another order. */
function shuffled<T>(value: T, order: Iterator<number>): T {
  if (Array.isArray(value)) return value.map((item: unknown) => shuffled(item, order)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([key, field]) => ({ key, field, rank: Number(order.next().value) }));
  fields.sort((a, b) => a.rank - b.rank);
  return Object.fromEntries(fields.map(({ key, field }) => [key, shuffled(field as unknown, order)])) as T;
}
