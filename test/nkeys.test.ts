import { testProp, fc } from '@fast-check/ava';
import test from 'ava';
import { readToken, signedToken } from '../infra/nkeys/jwt.ts';
import { isAccountSeed, isPublicKey, isSignedBy, newAccountSeed, signerOf } from '../infra/nkeys/nkey.ts';

/** The keys and tokens of NATS. That a real nats-server takes them is seen in door.test.ts. */

test('a seed signs, and its public key says so; another one does not', (t) => {
  const [one, other] = [signerOf(newAccountSeed()), signerOf(newAccountSeed())];
  const bytes = Buffer.from('to be signed');
  const signature = one.sign(bytes);
  t.true(isSignedBy(one.publicKey, 'account', bytes, signature));
  t.false(isSignedBy(one.publicKey, 'account', Buffer.from('to be signed.'), signature));
  t.false(isSignedBy(other.publicKey, 'account', bytes, signature));
  t.regex(one.publicKey, /^A[A-Z2-7]{55}$/);
  t.true(isPublicKey(one.publicKey, 'account'));
  t.false(isPublicKey(one.publicKey, 'server'));
  t.false(isPublicKey(one.publicKey, 'user'));
});

test('what is no seed is refused, and is not in the message', (t) => {
  const seed = newAccountSeed();
  for (const text of [
    '',
    seed.slice(1),
    seed.toLowerCase(),
    `${seed}A`,
    signerOf(seed).publicKey,
    `SU${seed.slice(2)}`,
  ]) {
    t.false(isAccountSeed(text), text);
    const error = t.throws(() => signerOf(text), { code: 'KEY_TEXT' });
    t.false(text !== '' && error.message.includes(text));
  }
});

testProp('a key with one character changed is no key', [fc.nat({ max: 57 }), fc.nat({ max: 30 })], (t, place, step) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const seed = newAccountSeed();
  const other = alphabet.charAt((alphabet.indexOf(seed.charAt(place)) + 1 + step) % 32);
  t.false(isAccountSeed(`${seed.slice(0, place)}${other}${seed.slice(place + 1)}`));
});

const CLAIMS = { aud: 'x', sub: 'y', iat: 1, exp: 2, nats: { type: 'user' } };

test('a token is read back as it was signed, by whom it names', (t) => {
  const signer = signerOf(newAccountSeed());
  const token = signedToken(signer, CLAIMS);
  t.like(readToken(token, 'account'), { ...CLAIMS, iss: signer.publicKey });
  t.is(readToken(token, 'server'), null, 'an account is no server');
  const [header, , signature] = token.split('.');
  const forged = Buffer.from(JSON.stringify({ ...CLAIMS, sub: 'z', iss: signer.publicKey })).toString('base64url');
  t.is(readToken(`${header}.${forged}.${signature}`, 'account'), null);
  t.is(readToken(`${token}.more`, 'account'), null);
  t.is(readToken('a.b.'.padEnd(100_000, 'c'), 'account'), null);
});

testProp('no text breaks the reading of a token', [fc.string({ maxLength: 300, unit: 'binary' })], (t, text) => {
  t.is(readToken(text, 'server'), null);
  t.is(readToken(`a.${Buffer.from(text).toString('base64url')}.c`, 'server'), null);
});
