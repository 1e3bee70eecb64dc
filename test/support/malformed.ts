import type { Random } from '../simulation/random.ts';

/** What no careful client sends: for the doors of the gateway, where anybody may send anything. */

/** Text that has broken programs before. */
const TEXTS: readonly [string, ...string[]] = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\uD800',
  '\uDFFF\uD800',
  '\u202Eevil',
  'e\u0301'.repeat(64),
  '🐎'.repeat(200),
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  '-0',
  '1e999',
  '../../etc/passwd',
  '%00',
  '%ff%fe',
  '${7*7}',
  '{{7*7}}',
  "' OR 1=1 --",
  '<script>alert(1)</script>',
  '\r\nSet-Cookie: muster=x',
  'mk_',
  'mk_aaaaaaaaaaaa_',
  `mk_${'a'.repeat(12)}_${'x'.repeat(43)}`,
  'v2.',
  `v2.${'x'.repeat(43)}`,
  'anna.',
  `anna.${'x'.repeat(43)}`,
  '.'.repeat(256),
  'x'.repeat(256),
  'x'.repeat(7000),
];

export function someText(random: Random): string {
  if (random.chance(0.7)) return random.pick(TEXTS);
  const length = random.int(0, 80);
  return Array.from({ length }, () => String.fromCharCode(random.int(0, 0xffff))).join('');
}

/** A value of any type, a few levels deep. */
export function someValue(random: Random, depth = 0): unknown {
  const kind = random.int(0, depth > 3 ? 5 : 8);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind === 2) return random.pick([0, -1, 1e308, Number.MAX_SAFE_INTEGER, 0.1, -0] as [number, ...number[]]);
  if (kind <= 5) return someText(random);
  const length = random.int(0, 5);
  if (kind === 6) return Array.from({ length }, () => someValue(random, depth + 1));
  return Object.fromEntries(
    Array.from({ length }, () => [someText(random).slice(0, 50), someValue(random, depth + 1)]),
  );
}

const FIELDS = ['personId', 'name', 'role', 'account', 'password', 'current', 'token', 'reason', 'expiresAt'] as const;

/** A body: most often an object with fields that are known and values that are not; else no object, no JSON, no text. */
export function someBody(random: Random, good: object): string | Buffer {
  const kind = random.int(0, 11);
  if (kind <= 3) return JSON.stringify({ ...good, [random.pick([...FIELDS])]: someValue(random) });
  if (kind === 4) return JSON.stringify(someValue(random));
  if (kind === 5) return JSON.stringify(good).slice(0, random.int(0, 40));
  if (kind === 6) return nested(random.int(1, 4000), random.chance(0.5));
  if (kind === 7) return `{"${random.pick(['__proto__', 'constructor'])}":{"polluted":true},"personId":"anna"}`;
  if (kind === 8) return Buffer.from(Array.from({ length: random.int(0, 200) }, () => random.int(0, 255)));
  if (kind === 9) return JSON.stringify({ ...good, [someText(random).slice(0, 60)]: someValue(random) });
  if (kind === 10) return `{"password":"${'x'.repeat(random.pick([9000, 100_000]))}"}`;
  return JSON.stringify(Object.fromEntries(FIELDS.map((field) => [field, someValue(random)])));
}

function nested(levels: number, closed: boolean): string {
  return '['.repeat(levels) + (closed ? ']'.repeat(levels) : '');
}

const HEADERS = [
  'authorization',
  'cookie',
  'content-type',
  'origin',
  'sec-fetch-site',
  'host',
  'idempotency-key',
  'user-agent',
  'if-match',
  'x-forwarded-for',
  'accept',
] as const;

/** Headers as a socket may carry them: bytes of Latin-1 without line ends. */
export function someHeaders(random: Random): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let count = random.int(0, 3); count > 0; count -= 1) {
    headers[random.pick([...HEADERS])] = headerValue(random);
  }
  return headers;
}

function headerValue(random: Random): string {
  const text = someText(random);
  const prefix = random.pick([
    '',
    'Bearer ',
    'bearer  ',
    'Basic ',
    'muster=',
    'muster=; muster=',
    'muster="',
    'application/',
  ]);
  // eslint-disable-next-line no-control-regex -- what a header cannot carry is left out
  return `${prefix}${text}`.replaceAll(/[^\u0020-\u00FF]/g, '').slice(0, 4000);
}
