import { randomBytes } from 'node:crypto';
import type { Clock } from '../../infra/clock.ts';
import { hashOf } from './stored.ts';

export const SIGN_IN_MINUTES = 15;
/** More than this many unused links at a time make the oldest ones void. */
const MOST_OPEN = 100;

export interface SignInToken {
  readonly token: string;
  /** ISO 8601. */
  readonly expiresAt: string;
}

/** One-time sign-in tokens: 15 minutes, used once, only their hashes kept and only in memory. */
export class SignInTokens {
  readonly #clock: Clock;
  readonly #expiries = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  make(): SignInToken {
    const [oldest] = this.#expiries.keys();
    if (oldest !== undefined && this.#expiries.size >= MOST_OPEN) this.#expiries.delete(oldest);
    const token = randomBytes(32).toString('base64url');
    const expiry = this.#clock.now() + SIGN_IN_MINUTES * 60_000;
    this.#expiries.set(hashOf(token), expiry);
    return { token, expiresAt: new Date(expiry).toISOString() };
  }

  /** True the first time that a token is shown before it expires. */
  redeem(token: string): boolean {
    const key = hashOf(token);
    const expiry = this.#expiries.get(key);
    this.#expiries.delete(key);
    return expiry !== undefined && this.#clock.now() < expiry;
  }
}
