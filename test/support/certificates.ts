import { createPrivateKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';

/**
 * Certificate authorities for the tests. Node reads certificates and does not make them, and not every machine has openssl, so
 * the little DER that is needed is written here: X.509 version 3, keys on P-256, signed with ECDSA and SHA-256.
 */
export interface Issued {
  /** Both PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  /** The authority's own certificate, PEM. */
  readonly pem: string;
  /** A certificate for these DNS names and IPv4 addresses. Times are ms since 1970; valid from an hour ago for 10 days unless said. */
  issue(names: readonly string[], validity?: { readonly from?: number; readonly to?: number }): Issued;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export function makeAuthority(name: string): Authority {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const self = { issuer: name, subject: name, publicKey: own.publicKey, signedBy: own.privateKey };
  const pem = certificate({ ...self, ...validFor(30), extensions: [extension('551d13', true, sequence(TRUE))] });
  return {
    pem,
    issue(names, { from, to } = {}) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const usual = validFor(10);
      const cert = certificate({
        issuer: name,
        subject: names[0] ?? 'nobody',
        publicKey,
        signedBy: own.privateKey,
        from: from ?? usual.from,
        to: to ?? usual.to,
        extensions: [extension('551d11', false, sequence(...names.map(generalName)))],
      });
      return { cert, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
    },
  };
}

/** The same key with a password, which nothing here can open. */
export function encryptedKey(key: string): string {
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const;
  return String(createPrivateKey(key).export(options));
}

interface Content {
  readonly issuer: string;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly signedBy: KeyObject;
  readonly from: number;
  readonly to: number;
  readonly extensions: readonly Buffer[];
}

function certificate({ issuer, subject, publicKey, signedBy, from, to, extensions }: Content): string {
  const content = sequence(
    tagged(0xa0, tagged(0x02, Buffer.of(2))),
    tagged(0x02, Buffer.concat([Buffer.of(1), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    nameOf(issuer),
    sequence(time(from), time(to)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', content, signedBy);
  const whole = sequence(content, ECDSA_WITH_SHA256, tagged(0x03, Buffer.concat([Buffer.of(0), signature])));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function validFor(days: number): { readonly from: number; readonly to: number } {
  return { from: Date.now() - HOUR_MS, to: Date.now() + days * DAY_MS };
}

function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag), lengthOf(content.length), content]);
}

/** As short as can be, which is the only right way. */
function lengthOf(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.of(bytes);
  return bytes < 0x100 ? Buffer.of(0x81, bytes) : Buffer.of(0x82, bytes >> 8, bytes & 0xff);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(0x30, ...parts);
}

function objectId(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

/** A name with nothing but a common name. */
function nameOf(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(objectId('550403'), tagged(0x0c, Buffer.from(commonName)))));
}

/** To the second, years before 2050. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`));
}

function generalName(name: string): Buffer {
  if (isIPv4(name)) return tagged(0x87, Buffer.from(name.split('.').map(Number)));
  return tagged(0x82, Buffer.from(name));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(objectId(id), ...(critical ? [TRUE] : []), tagged(0x04, value));
}

const TRUE = tagged(0x01, Buffer.of(255));
const ECDSA_WITH_SHA256 = sequence(objectId('2a8648ce3d040302'));
