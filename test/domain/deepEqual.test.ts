import { isDeepStrictEqual } from 'node:util';
import { fc, testProp } from '@fast-check/ava';
import test from 'ava';
import { isDeepEqual } from '../../domain/deepEqual.ts';

/** What JSON can say: no -0, and objects without a prototype's tricks. */
const json = fc.jsonValue({ maxDepth: 3 }).map((value): unknown => JSON.parse(JSON.stringify(value)));

testProp('a value equals its copy, and whatever else has the same structure', [json, json], (t, one, other) => {
  t.true(isDeepEqual(one, structuredClone(one)));
  t.is(isDeepEqual(one, other), isDeepStrictEqual(one, other));
});

test('the order of keys does not count; the order of elements, a missing key and a missing element do', (t) => {
  t.true(isDeepEqual({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 }));
  t.false(isDeepEqual([1, 2], [2, 1]));
  t.false(isDeepEqual([1, 2], [1, 2, 3]));
  t.false(isDeepEqual({ a: undefined, b: 1 }, { b: 1, c: undefined }));
  t.false(isDeepEqual([], {}));
  t.false(isDeepEqual({}, null));
});
