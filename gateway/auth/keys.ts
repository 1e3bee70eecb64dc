import type { FleetState } from '../../domain/fleet/state.ts';
import { isExpired, KEYS_LIMIT } from '../../domain/keys/state.ts';
import type { Clock } from '../../infra/clock.ts';
import type { SecretStore } from '../../infra/secrets/port.ts';
import type { Caller } from './caller.ts';
import { LastUsed } from './lastUsed.ts';
import { newSecret } from './newSecret.ts';
import { erase, hashOf, isSame, nameOf, read, write } from './stored.ts';

const KEY_PATTERN = /^mk_([a-z2-7]{12})_([A-Za-z0-9_-]{43})$/;

/** Whether it is written like a key that was issued. */
export function looksIssued(text: string): boolean {
  return KEY_PATTERN.test(text);
}

/** A key as it is made. `text` is what its owner keeps; nobody can see it again. */
export interface NewKey {
  readonly keyId: string;
  readonly text: string;
  readonly fingerprint: string;
}

/** Checks what programs show: on REST as `mk_<key id>_<secret>`, on the bus the two apart. */
export class AccessKeys {
  readonly #secrets: SecretStore;
  readonly #fleet: () => Pick<FleetState, 'keys'>;
  readonly #clock: Clock;
  readonly #lastUsed: LastUsed;

  constructor(secrets: SecretStore, fleet: () => Pick<FleetState, 'keys'>, clock: Clock) {
    this.#secrets = secrets;
    this.#fleet = fleet;
    this.#clock = clock;
    this.#lastUsed = new LastUsed(clock, KEYS_LIMIT, (keyId) => fleet().keys.has(keyId));
  }

  /** Who the key stands for, or null when it is unknown, wrong, expired or revoked. Notes that it was used. */
  verifyKey(keyId: string, secret: string): Caller | null {
    const stored = read(this.#secrets, 'key', nameOf.key(keyId));
    const caller = this.look(keyId);
    if (stored === null || caller === null || !isSame(stored.value.hash, hashOf(secret))) return null;
    this.#lastUsed.note(keyId);
    return caller;
  }

  /** Who holds the key of that id, if it is live. */
  look(keyId: string): Caller | null {
    const key = this.#fleet().keys.get(keyId);
    if (key === undefined || isExpired(key, this.#clock.now())) return null;
    const expiresAt = key.expiresAt === null ? null : Date.parse(key.expiresAt);
    return { actor: { kind: 'automation', id: keyId }, role: key.role, by: 'key', expiresAt, sessionId: null };
  }

  /** The same from what stands behind `Bearer`. */
  verifyText(text: string): Caller | null {
    const [, keyId, secret] = KEY_PATTERN.exec(text) ?? [];
    return keyId === undefined || secret === undefined ? null : this.verifyKey(keyId, secret);
  }

  /** Makes a key and keeps the hash of its secret. It opens nothing until it is recorded that it was issued. */
  async make(): Promise<NewKey> {
    const { id: keyId, secret, fingerprint } = newSecret();
    const kept = { hash: hashOf(secret), madeAt: this.#clock.now() };
    await write(this.#secrets, 'key', nameOf.key(keyId), kept, null);
    return { keyId, text: `mk_${keyId}_${secret}`, fingerprint };
  }

  /** Forgets the secret of a key that was revoked, or that was made for nothing. */
  async forget(keyId: string): Promise<void> {
    this.#lastUsed.forget(keyId);
    await erase(this.#secrets, this.#clock, nameOf.key(keyId));
  }

  /** To the minute, ms since 1970, by this gateway since it started; null: not. */
  lastUsedAt(keyId: string): number | null {
    return this.#lastUsed.at(keyId);
  }
}
