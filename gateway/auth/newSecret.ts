import { hash, randomBytes } from 'node:crypto';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** A secret of 256 bits as 43 characters of base64url, the id it is known by (12 of base 32), and its fingerprint. */
export interface NewSecret {
  readonly id: string;
  readonly secret: string;
  readonly fingerprint: string;
}

export function newSecret(): NewSecret {
  const secret = randomBytes(32).toString('base64url');
  const id = [...randomBytes(12)].map((byte) => BASE32.charAt(byte % 32)).join('');
  return { id, secret, fingerprint: fingerprintOf(secret) };
}

/** The first 16 hex digits of the SHA-256: enough to tell two apart, and no way back. */
function fingerprintOf(secret: string): string {
  return hash('sha256', secret, 'hex').slice(0, 16);
}
