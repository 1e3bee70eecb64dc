import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../infra/clock.ts';

export const COOKIE_NAME = 'muster';
export const COOKIE_HOURS = 12;

/**
 * Browser sessions as signed cookies: `v1.<expiry in ms>.<person>.<signature>`. Nothing is kept on the server, so they
 * survive its restart; a new secret in `cookie.key` ends all of them.
 */
export class CookieSeal {
  readonly #key: Buffer;
  readonly #clock: Clock;

  constructor(secret: string, clock: Clock) {
    this.#key = hash('sha256', `muster cookie v1 ${secret}`, 'buffer');
    this.#clock = clock;
  }

  seal(personId: string): string {
    const expiry = this.#clock.now() + COOKIE_HOURS * 3_600_000;
    const content = `v1.${expiry}.${personId}`;
    return `${content}.${this.#sign(content)}`;
  }

  /** Who the cookie says it is and until when, or null when it was not sealed here or has expired. */
  open(value: string): { readonly personId: string; readonly expiresAt: number } | null {
    const at = value.lastIndexOf('.');
    const content = value.slice(0, at);
    const [version, expiryText, personId, ...rest] = content.split('.');
    if (version !== 'v1' || expiryText === undefined || personId === undefined || rest.length > 0) return null;
    if (!isSame(value.slice(at + 1), this.#sign(content))) return null;
    const expiresAt = Number(expiryText);
    return this.#clock.now() < expiresAt ? { personId, expiresAt } : null;
  }

  #sign(content: string): string {
    return createHmac('sha256', this.#key).update(content).digest('base64url');
  }
}

/** Compares in constant time, by hashes of equal length. */
export function isSame(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}
