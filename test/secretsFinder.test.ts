import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import test from 'ava';
import { Finder } from './support/secretsScan/finder.ts';

test('the finder finds a secret in each form in which it may be written, and in part', (t) => {
  const text = 'früh "am" Morgen\\ist es noch kalt, und später wärmer';
  const forms: readonly (readonly [string, string | Uint8Array])[] = [
    ['as it is', text],
    ['JSON', JSON.stringify({ a: text })],
    ['JSON in JSON', JSON.stringify(JSON.stringify([text]))],
    ['URL', encodeURIComponent(text)],
    ['form', new URLSearchParams({ a: text }).toString()],
    ['hexadecimal', Buffer.from(text).toString('hex')],
    ['UTF-16', Buffer.from(text, 'utf16le')],
    ['Latin-1', Buffer.from(text, 'latin1')],
    ['its beginning', `${text.slice(0, 20)}…`],
    ['its end', text.slice(-20)],
    ...['', 'x', 'xy', 'xyz'].flatMap((before): [string, string][] => [
      ['base64', Buffer.from(`${before}${text}tail`).toString('base64')],
      ['base64url', Buffer.from(`${before}${text}t`).toString('base64url')],
    ]),
  ];
  const finder = new Finder();
  finder.add('it', text);
  const places = (bytes: string | Uint8Array) =>
    finder.find('somewhere', Buffer.from(bytes)).map(({ secret }) => secret);
  for (const [form, written] of forms) {
    const around = Buffer.concat([Buffer.from('{"a":'), Buffer.from(written), Buffer.from('}')]);
    for (const bytes of [around, gzipSync(around), deflateSync(around), zstdCompressSync(around)]) {
      t.deepEqual(places(bytes), ['it'], form);
    }
  }
  t.deepEqual(places('früh am Morgen ist es noch kalt'), []);
  t.throws(() => finder.add('short', 'short'), { instanceOf: RangeError });
});
