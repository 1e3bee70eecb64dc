import { createPrivateKey, createPublicKey, randomBytes, sign, verify, type KeyObject } from 'node:crypto';

/**
 * The keys with which NATS signs: Ed25519, written in base32 with a byte in front that says whose it is (`A…` an account,
 * `N…` a server, `U…` a user, `SA…` the secret seed of an account) and a CRC-16 behind. The format is that of
 * github.com/nats-io/nkeys; the cryptography is Node's.
 */
const PREFIX = { server: 13 << 3, account: 0, user: 20 << 3 } as const;
export type KeyKind = keyof typeof PREFIX;
const SEED_PREFIX = 18 << 3;
const RAW_BYTES = 32;
const CRC_BYTES = 2;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** What stands before the 32 bytes of an Ed25519 key in DER, RFC 8410. */
const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');

/** A text that is no key of the wanted kind. The text is not in the message: it may be a secret. */
export class KeyTextError extends Error {
  override readonly name = 'KeyTextError';
  readonly code = 'KEY_TEXT';
}

/** Signs for an account. */
export interface Signer {
  /** `A…`. */
  readonly publicKey: string;
  sign(bytes: Uint8Array): Buffer;
}

/** A new secret seed of an account, `SA…`, 58 characters. */
export function newAccountSeed(): string {
  const head = Buffer.from([SEED_PREFIX | (PREFIX.account >> 5), (PREFIX.account & 31) << 3]);
  return encoded(Buffer.concat([head, randomBytes(RAW_BYTES)]));
}

export function isAccountSeed(text: string): boolean {
  return rawSeedOf(text) !== null;
}

/** Throws KeyTextError unless the text is the seed of an account. */
export function signerOf(seed: string): Signer {
  const rawSeed = rawSeedOf(seed);
  if (rawSeed === null) throw new KeyTextError('it is not the seed of an account (SA…)');
  const privateKey = createPrivateKey({ key: Buffer.concat([PRIVATE_DER, rawSeed]), format: 'der', type: 'pkcs8' });
  const raw = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(PUBLIC_DER.length);
  return {
    publicKey: publicKeyText('account', raw),
    sign: (data) => sign(null, data, privateKey),
  };
}

/** A public key of 32 bytes as NATS writes it. */
export function publicKeyText(kind: KeyKind, raw: Uint8Array): string {
  return encoded(Buffer.concat([Buffer.from([PREFIX[kind]]), raw]));
}

/** Whether the text is a public key of that kind. */
export function isPublicKey(text: string, kind: KeyKind): boolean {
  return rawOf(text, kind) !== null;
}

/** Whether the owner of a public key signed the bytes; false also when the text is no key of that kind. */
export function isSignedBy(text: string, kind: KeyKind, bytes: Uint8Array, signature: Uint8Array): boolean {
  const key = publicKeyOf(text, kind);
  return key !== null && verify(null, bytes, key, signature);
}

function rawSeedOf(text: string): Buffer | null {
  const bytes = decoded(text);
  const isSeed = bytes?.length === 2 + RAW_BYTES && bytes[0] === SEED_PREFIX && bytes[1] === PREFIX.account;
  return isSeed ? bytes.subarray(2) : null;
}

function publicKeyOf(text: string, kind: KeyKind): KeyObject | null {
  const raw = rawOf(text, kind);
  return raw === null ? null : createPublicKey({ key: Buffer.concat([PUBLIC_DER, raw]), format: 'der', type: 'spki' });
}

function rawOf(text: string, kind: KeyKind): Buffer | null {
  const bytes = decoded(text);
  return bytes?.length === 1 + RAW_BYTES && bytes[0] === PREFIX[kind] ? bytes.subarray(1) : null;
}

function encoded(bytes: Buffer): string {
  const sum = Buffer.alloc(CRC_BYTES);
  sum.writeUInt16LE(crc16(bytes));
  let [text, held, bits] = ['', 0, 0];
  for (const byte of Buffer.concat([bytes, sum])) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET.charAt((held >> (bits - 5)) & 31);
  }
  return bits === 0 ? text : text + ALPHABET.charAt((held << (5 - bits)) & 31);
}

/** Null for what is not such a text: another alphabet, a wrong sum, or bits left over that are not zero. */
function decoded(text: string): Buffer | null {
  const bytes: number[] = [];
  let [held, bits] = [0, 0];
  for (const character of text) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return null;
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
  }
  if (bits >= 5 || (held & ((1 << bits) - 1)) !== 0 || bytes.length <= CRC_BYTES) return null;
  const all = Buffer.from(bytes);
  const body = all.subarray(0, -CRC_BYTES);
  return all.readUInt16LE(body.length) === crc16(body) ? body : null;
}

/** CRC-16/XMODEM. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ ((crc & 0x8000) === 0 ? 0 : 0x1021)) & 0xffff;
  }
  return crc;
}
