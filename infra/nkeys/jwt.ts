import { randomUUID } from 'node:crypto';
import { isSignedBy, type KeyKind, type Signer } from './nkey.ts';

/** The JSON web tokens of NATS: `header.claims.signature`, each in base64url, signed with the key that `iss` names. */
const HEADER = base64url(JSON.stringify({ typ: 'JWT', alg: 'ed25519-nkey' }));
/** Longer than any request of a server: it has names of two hosts and a client's credentials in it. */
const MOST_CHARACTERS = 64 * 1024;

/** `exp` and `iat` are seconds since 1970, as in RFC 7519. */
export interface Claims {
  readonly aud: string;
  readonly sub: string;
  readonly iat: number;
  readonly exp: number;
  readonly name?: string;
  readonly nats: Readonly<Record<string, unknown>>;
}

export function signedToken(signer: Signer, claims: Claims): string {
  const body = `${HEADER}.${base64url(JSON.stringify({ ...claims, jti: randomUUID(), iss: signer.publicKey }))}`;
  return `${body}.${signer.sign(Buffer.from(body)).toString('base64url')}`;
}

/**
 * The claims of a token that whoever it names as its issuer has signed, a key of the given kind; null for everything else.
 * Who that is and what they claim is for the caller to judge.
 */
export function readToken(text: string, issuer: KeyKind): Readonly<Record<string, unknown>> | null {
  const [header = '', body = '', signature = '', ...rest] = text.length > MOST_CHARACTERS ? [] : text.split('.');
  if (rest.length > 0 || signature === '') return null;
  const claims = objectOf(body);
  const iss = claims?.['iss'];
  if (claims === null || typeof iss !== 'string') return null;
  const bytes = Buffer.from(`${header}.${body}`);
  return isSignedBy(iss, issuer, bytes, Buffer.from(signature, 'base64url')) ? claims : null;
}

function objectOf(part: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
