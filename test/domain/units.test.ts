import { fc, testProp } from '@fast-check/ava';
import test from 'ava';
import { formatBytes, formatCores, parseCores, parseMemory } from '../../domain/units.ts';

const valueOf = (parsed: ReturnType<typeof parseCores>) => (parsed.ok ? parsed.value : parsed.problem);

test('memory is read in binary and decimal units and in bytes', (t) => {
  const table: readonly (readonly [string | number, number])[] = [
    ['12GiB', 12 * 1024 ** 3],
    ['12GB', 12e9],
    ['12 gb', 12e9],
    ['512 MiB', 512 * 1024 ** 2],
    ['1.5KiB', 1536],
    ['1073741824', 1024 ** 3],
    ['100b', 100],
    ['1TiB', 1024 ** 4],
    ['1.1GiB', 1_181_116_006],
    [0, 0],
    [42, 42],
  ];
  for (const [text, bytes] of table) t.is(valueOf(parseMemory(text)), bytes, String(text));
});

test('negative, fractional, unknown and uncountable amounts of memory are refused with a sentence', (t) => {
  for (const text of [
    '',
    'much',
    '12XB',
    '-1GiB',
    '0.5',
    '0.5b',
    '1e3',
    '1,5GiB',
    'NaN',
    -1,
    0.5,
    NaN,
    Infinity,
    2 ** 53,
  ]) {
    t.is(typeof valueOf(parseMemory(text)), 'string', String(text));
  }
  t.is(
    valueOf(parseMemory('lots')),
    '"lots" is not an amount of memory; write for example 12GiB, 12GB or a number of bytes',
  );
});

test('cores are read as cores and millicores, and not finer', (t) => {
  const table: readonly (readonly [string | number, number])[] = [
    ['2', 2000],
    ['0.5', 500],
    ['500m', 500],
    [' 1.001 ', 1001],
    [6, 6000],
    [0, 0],
  ];
  for (const [text, millicores] of table) t.is(valueOf(parseCores(text)), millicores, String(text));
  for (const text of ['', '0.0005', '0.5m', '-1', 'two', '1e3', NaN, Infinity, -2]) {
    t.is(typeof valueOf(parseCores(text)), 'string', String(text));
  }
});

test('amounts are shown as people read them', (t) => {
  t.deepEqual([0, 1023, 1024, 1536, 6 * 1024 ** 3, -1024, 1024 ** 5, 412 * 1024 ** 2].map(formatBytes), [
    '0 B',
    '1023 B',
    '1 KiB',
    '1.5 KiB',
    '6 GiB',
    '-1 KiB',
    '1024 TiB',
    '412 MiB',
  ]);
  t.deepEqual([0, 500, 2000, 1001, 12_000].map(formatCores), ['0', '0.5', '2', '1.001', '12']);
});

testProp('cores read back as they were shown', [fc.nat({ max: 1_000_000_000 })], (t, millicores) => {
  t.is(valueOf(parseCores(formatCores(millicores))), millicores);
});

testProp(
  'whole units of memory read back as they were shown',
  [fc.nat({ max: 1023 }), fc.constantFrom(0, 1, 2, 3)],
  (t, amount, power) => {
    const bytes = amount * 1024 ** power;
    t.is(valueOf(parseMemory(formatBytes(bytes))), bytes);
  },
);

testProp('any amount of memory reads back within the shown precision', [fc.nat({ max: 2 ** 40 })], (t, bytes) => {
  const back = valueOf(parseMemory(formatBytes(bytes)));
  t.true(
    typeof back === 'number' && Math.abs(back - bytes) <= bytes * 0.05 + 0.5,
    `${bytes} ${formatBytes(bytes)} ${back}`,
  );
});
