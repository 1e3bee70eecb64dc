import type { Role } from '../people/role.ts';

/** What a program shows to act by itself. Times are ISO 8601; `expiresAt` null: it ends only by being revoked. */
export interface AccessKey {
  readonly keyId: string;
  readonly name: string;
  readonly role: Role;
  readonly expiresAt: string | null;
  readonly fingerprint: string;
  readonly issuedAt: string;
}

/** At most this many are live at a time; expired ones do not count and are forgotten when they are in the way. */
export const KEYS_LIMIT = 1000;

export function isExpired({ expiresAt }: Pick<AccessKey, 'expiresAt'>, nowMs: number): boolean {
  return expiresAt !== null && Date.parse(expiresAt) <= nowMs;
}
