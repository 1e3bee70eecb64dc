import { inspect } from 'node:util';
import { testProp, fc } from '@fast-check/ava';
import test from 'ava';
import canonicalize from 'canonicalize';
import type { z } from 'zod';
import { commandOutcome, type CommandOutcome } from '../domain/commit.ts';
import { eventEnvelope, type AnyEvent } from '../domain/events.ts';
import { canonicalJson } from '../infra/log/canonical.ts';
import { eventId } from '../infra/log/eventId.ts';
import { isEvidentEnvelope, isEvidentOutcome } from '../infra/log/evident.ts';
import { firstDifference } from '../infra/log/strict.ts';
import { someEvent } from './support/commits.ts';

/** Names as they occur and as they bite: numbers that objects put first, characters above the surrogates, escapes. */
const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('', '2', '10', '__proto__', 'toJSON', '\u20ac', '\ufb33', '\u{1f600}', '\u0080', '\r', '"', '\\'),
);

const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false, 0, -0, 1e21, 1e-7, 5e-324, 2 ** 53),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(name, tie('value'), { maxKeys: 40 }),
  ),
})).value;

testProp('canonical JSON is what the reference implementation of RFC 8785 writes', [json], (t, value) => {
  t.is(canonicalize(value), canonicalJson(value));
});

test('an absent field and one that is undefined have the same canonical JSON', (t) => {
  t.is(canonicalJson({ b: 1, a: undefined, c: { d: undefined } }), '{"b":1,"c":{}}');
});

const circle: { inner?: object } = {};
circle.inner = circle;

const unwritable: readonly (readonly [string, unknown])[] = [
  ['half a character', ['\ud800']],
  ['half a character in a name', { '\udc00': 1 }],
  ['NaN', [Number.NaN]],
  ['an infinity', { a: -Infinity }],
  ['nothing at all', undefined],
  ['nothing in an array', [undefined]],
  // oxlint-disable-next-line no-sparse-arrays
  ['a hole in an array', [1, , 2]],
  ['a big integer', 1n],
  ['a function', { a: () => 1 }],
  ['a symbol', Symbol('a')],
  ['a date', new Date(0)],
  ['a map', new Map([['a', 1]])],
  ['a value within itself', circle],
];

for (const [what, value] of unwritable) {
  test(`${what} has no canonical JSON`, (t) => {
    const error = t.throws(() => canonicalJson(value));
    t.true(error instanceof TypeError || error instanceof RangeError);
  });
}

type Fields = Readonly<Record<string, unknown>>;

const NUMBERS = [0, 1, 1.5, -1, 2 ** 53, Number.NaN, Infinity];
const TEXTS = ['', 'x', ...[64, 65, 128, 129, 500, 501].map((length) => 'x'.repeat(length))];
const IDS = [eventId('k', 1), eventId('k', 1).toUpperCase()];
const TIMES = ['2026-02-28T00:00:00Z', '2026-02-30T00:00:00.000Z', '2026-02-28'];
const ODD = [undefined, null, true, {}, [], new Map(), new Date(0), ...NUMBERS, ...TEXTS, ...IDS, ...TIMES];

/** `good` with one field left out, changed or added, in every way. `more` are further values for fields. */
function spoiled(good: Fields, more: Readonly<Record<string, readonly unknown[]>> = {}): Fields[] {
  const all: Fields[] = [];
  for (const name of [...Object.keys(good), 'reason', 'extra']) {
    const { [name]: _, ...without } = good;
    all.push(without);
    for (const value of [...ODD, ...(more[name] ?? [])]) all.push({ ...good, [name]: value });
  }
  return all;
}

/** Throws unless the schema takes it as it is. */
function assertFits(schema: z.ZodType, value: Fields): void {
  const field = firstDifference(value, schema.parse(value));
  if (field !== null) throw new Error(`${field} of ${inspect(value)}`);
}

test('what passes for an envelope at a glance is one by its schema, unchanged', (t) => {
  const actors = spoiled({ kind: 'operator', id: 'op-1' }, { kind: ['agent', 'system', 'automation', 'ghost'] });
  // Two at a time, so that a field too many may stand where one is missing.
  const events = spoiled({ ...someEvent('k') }, { actor: actors }).flatMap((event) => spoiled(event));
  const evident = events.filter((event) => isEvidentEnvelope(event as AnyEvent));
  t.notThrows(() => evident.forEach((event) => assertFits(eventEnvelope, event)));
  t.true(evident.length > 1000 && evident.length < events.length / 2, `${evident.length} of ${events.length}`);
});

test('what passes for the outcome of a command at a glance is one by its schema, unchanged', (t) => {
  const outcomes = [...spoiled({ a: 1 }), JSON.parse('{"__proto__":1}') as unknown];
  const good = { key: 'k', requestHash: 'h', outcome: { a: 1 } };
  const commands = spoiled(good, { outcome: outcomes }).flatMap((command) => spoiled(command));
  const evident = commands.filter((command) => isEvidentOutcome(command as CommandOutcome));
  t.notThrows(() => evident.forEach((command) => assertFits(commandOutcome, command)));
  t.true(evident.length > 1000 && evident.length < commands.length / 2, `${evident.length} of ${commands.length}`);
});

test('what a gateway writes passes at a glance', (t) => {
  t.true(isEvidentEnvelope(someEvent('k')));
  t.true(isEvidentEnvelope({ ...someEvent('k'), reason: 'drain' }));
  t.true(isEvidentOutcome({ key: 'k', requestHash: 'a'.repeat(64), outcome: { sessionId: 's-1', queued: null } }));
});
