import { testProp, fc } from '@fast-check/ava';
import test from 'ava';
import { isDigest, parseReference, type ImageReference } from '../../domain/images/reference.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

const READ: readonly (readonly [string, ImageReference])[] = [
  ['desktop', read('docker.io', 'library/desktop')],
  ['desktop:1.0', read('docker.io', 'library/desktop', '1.0')],
  ['docker.io/desktop', read('docker.io', 'library/desktop')],
  ['docker.io/library/desktop', read('docker.io', 'library/desktop')],
  ['index.docker.io/desktop', read('docker.io', 'library/desktop')],
  ['Index.Docker.io/a/b', read('docker.io', 'a/b')],
  ['muster/desk_top/x--y/a__b/c.d', read('docker.io', 'muster/desk_top/x--y/a__b/c.d')],
  ['localhost', read('docker.io', 'library/localhost')],
  ['localhost:5000', read('docker.io', 'library/localhost', '5000')],
  ['localhost/desktop', read('localhost', 'desktop')],
  ['localhost:5000/desktop', read('localhost:5000', 'desktop')],
  ['docker.io', read('docker.io', 'library/docker.io')],
  ['host:5000/a/b:t', read('host:5000', 'a/b', 't')],
  ['Registry/a', read('registry', 'a')],
  ['REGISTRY.example:443/a', read('registry.example:443', 'a')],
  ['192.0.2.7/a', read('192.0.2.7', 'a')],
  ['xn--bcher-kva.example/a', read('xn--bcher-kva.example', 'a')],
  [`r.example/a@${DIGEST}`, read('r.example', 'a', null, DIGEST)],
  [`a:t@${DIGEST}`, read('docker.io', 'library/a', 't', DIGEST)],
  [`a:${'t'.repeat(128)}`, read('docker.io', 'library/a', 't'.repeat(128))],
  [`a:_T.-`, read('docker.io', 'library/a', '_T.-')],
  [`r.example/${'a'.repeat(245)}`, read('r.example', 'a'.repeat(245))],
];

const REFUSED: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['a capital letter in the path', 'A'],
  ['a capital letter in the path of a registry', 'r.example/A'],
  ['an empty part', 'a//b'],
  ['nothing before the first slash', '/a'],
  ['nothing behind the last slash', 'a/'],
  ['an empty tag', 'a:'],
  ['an empty digest', 'a@'],
  ['a digest that is too short', 'a@sha256:12'],
  ['a digest in capital letters', `a@${DIGEST.toUpperCase()}`],
  ['a digest with capital digits', `a@sha256:${'A'.repeat(64)}`],
  ['a digest that is too long', `a@${DIGEST}0`],
  ['another algorithm', `a@sha512:${'0'.repeat(128)}`],
  ['two digests', `a@${DIGEST}@${DIGEST}`],
  ['a tag behind the digest', `a@${DIGEST}:t`],
  ['a blank', 'a b'],
  ['a line break behind it', 'a\n'],
  ['a tag that begins with a dot', 'a:.t'],
  ['a tag that begins with a dash', 'a:-t'],
  ['a tag of 129 characters', `a:${'t'.repeat(129)}`],
  ['a tag outside ASCII', 'a:ä'],
  ['a separator at the start', '-a'],
  ['a separator at the end', 'a-'],
  ['three underscores', 'a___b'],
  ['two dots', 'a..b'],
  ['a scheme', 'https://r.example/a'],
  ['a user', 'user@r.example/a'],
  ['a registry that ends with a dot', 'r.example./a'],
  ['an empty label of the registry', 'r..example/a'],
  ['a dash at the end of a label', 'r-.example/a'],
  ['an underscore in the registry', 'r_1.example/a'],
  ['a registry outside ASCII', 'bücher.example/a'],
  ['a registry by its IPv6 address', '[::1]:5000/a'],
  ['an empty port', 'r.example:/a'],
  ['a port that there is not', 'r.example:65536/a'],
  ['a name of 256 characters', `r.example/${'a'.repeat(246)}`],
  ['what engines take for the id of an image', '0123456789abcdef'.repeat(4)],
  ['more than is looked at', 'a'.repeat(513)],
];

for (const [text, expected] of READ) {
  test(`a container reference is read as engines read it: ${text.slice(0, 60)}`, (t) => {
    t.deepEqual(parseReference(text), expected);
  });
}

for (const [what, text] of REFUSED) {
  test(`a container reference with ${what} is none`, (t) => {
    t.is(parseReference(text), null);
  });
}

const letters = (unit: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...unit.split('')), minLength, maxLength });
const SMALL = 'abcxyz019';
const part = fc
  .array(fc.tuple(letters(SMALL, 1, 5), fc.constantFrom('.', '_', '__', '-', '---')), { minLength: 1, maxLength: 3 })
  .map((pieces) =>
    pieces
      .map(([word, separator]) => word + separator)
      .join('')
      .replace(/[._-]+$/, ''),
  );
const path = fc.array(part, { minLength: 2, maxLength: 4 }).map((parts) => ['p', ...parts].join('/'));
const registry = fc
  .tuple(
    fc.array(letters(`${SMALL}AZ`, 1, 6), { minLength: 2, maxLength: 4 }),
    fc.option(fc.integer({ min: 1, max: 65_535 })),
  )
  .map(([labels, port]) => labels.join('.') + (port === null ? '' : `:${port}`));
const tag = fc.tuple(letters(`${SMALL}AZ_`, 1, 1), letters(`${SMALL}AZ_.-`, 0, 20)).map((pieces) => pieces.join(''));
const digest = letters('0123456789abcdef', 64, 64).map((hex) => `sha256:${hex}`);

testProp(
  'what is put together by the grammar is taken apart into the same',
  [fc.option(registry), path, fc.option(tag), fc.option(digest)],
  (t, host, ofPath, ofTag, ofDigest) => {
    const text = textOf({ registry: host ?? '', path: ofPath, tag: ofTag, digest: ofDigest });
    t.deepEqual(parseReference(text), read(host?.toLowerCase() ?? 'docker.io', ofPath, ofTag, ofDigest));
  },
);

const MOVES = [
  'a',
  'b/',
  'docker.io/',
  'R.example/',
  ':5000/',
  ':t',
  '.',
  '_',
  '-',
  '@',
  DIGEST,
  '//',
  ' ',
  '\n',
  '\0',
  'é',
];

testProp(
  'what is read of any text is a reference that is read the same again, within the limits',
  [
    fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...MOVES), { maxLength: 8 }).map((moves) => moves.join('')),
    ),
  ],
  (t, text) => {
    const parsed = parseReference(text);
    if (parsed === null) {
      t.pass();
      return;
    }
    // A registry without dot and port is known by its capital letters alone, and is remembered without them.
    const isShort = !/[.:]/.test(parsed.registry) && parsed.registry !== 'localhost';
    const spelled = { ...parsed, registry: isShort ? parsed.registry.toUpperCase() : parsed.registry };
    t.deepEqual(parseReference(textOf(spelled)), parsed);
    t.true(`${parsed.registry}/${parsed.path}`.length <= 255 && (parsed.tag ?? '').length <= 128);
    t.true(parsed.digest === null || isDigest(parsed.digest));
    t.regex(textOf(parsed), /^[\x21-\x7e]+$/);
  },
);

test('a digest is sha256 and 64 hexadecimal digits, and nothing around them', (t) => {
  t.true(isDigest(DIGEST));
  for (const text of [
    '',
    'sha256:',
    DIGEST.slice(1),
    ` ${DIGEST}`,
    `${DIGEST}\n`,
    DIGEST.toUpperCase(),
    `md5:${'0'.repeat(32)}`,
  ]) {
    t.false(isDigest(text), JSON.stringify(text));
  }
});

function read(
  ofRegistry: string,
  ofPath: string,
  ofTag: string | null = null,
  ofDigest: string | null = null,
): ImageReference {
  return { registry: ofRegistry, path: ofPath, tag: ofTag, digest: ofDigest };
}

function textOf(reference: ImageReference): string {
  const { registry: host, path: ofPath, tag: ofTag, digest: ofDigest } = reference;
  const name = host === '' ? ofPath : `${host}/${ofPath}`;
  return `${name}${ofTag === null ? '' : `:${ofTag}`}${ofDigest === null ? '' : `@${ofDigest}`}`;
}
