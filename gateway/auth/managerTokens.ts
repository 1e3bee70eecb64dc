import type { FleetState } from '../../domain/fleet/state.ts';
import { MANAGER_TOKENS_LIMIT } from '../../domain/managerTokens/state.ts';
import type { Clock } from '../../infra/clock.ts';
import type { SecretStore } from '../../infra/secrets/port.ts';
import { LastUsed } from './lastUsed.ts';
import { newSecret } from './newSecret.ts';
import { erase, isSame, nameOf, read, write } from './stored.ts';

const TOKEN_PATTERN = /^mt_([a-z2-7]{12})_[A-Za-z0-9_-]{43}$/;

/** A token as it is made. `text` is what agents show. */
export interface NewManagerToken {
  readonly tokenId: string;
  readonly text: string;
  readonly fingerprint: string;
}

/**
 * Checks what admits agents to the bus, `mt_<token id>_<secret>`. The text itself is kept, encrypted as every secret is:
 * a rotation hands it to agents that show another live token. It is good while the fleet's log has it, and no longer.
 */
export class ManagerTokens {
  readonly #secrets: SecretStore;
  readonly #fleet: () => Pick<FleetState, 'managerTokens'>;
  readonly #clock: Clock;
  readonly #lastUsed: LastUsed;

  constructor(secrets: SecretStore, fleet: () => Pick<FleetState, 'managerTokens'>, clock: Clock) {
    this.#secrets = secrets;
    this.#fleet = fleet;
    this.#clock = clock;
    this.#lastUsed = new LastUsed(clock, MANAGER_TOKENS_LIMIT, (tokenId) => fleet().managerTokens.has(tokenId));
  }

  /** The id of the live token, or null when it is unknown, wrong or revoked. Notes that it was used. */
  verify(text: string): string | null {
    const tokenId = TOKEN_PATTERN.exec(text)?.[1];
    const kept = tokenId === undefined ? null : this.textOf(tokenId);
    if (tokenId === undefined || kept === null || !isSame(kept, text)) return null;
    this.#lastUsed.note(tokenId);
    return tokenId;
  }

  /** What agents show of a live token; null when there is none of that id. */
  textOf(tokenId: string): string | null {
    if (!this.#fleet().managerTokens.has(tokenId)) return null;
    return read(this.#secrets, 'managerToken', nameOf.managerToken(tokenId))?.value.text ?? null;
  }

  /** Makes a token and keeps it. It admits nobody until it is recorded that it was issued. */
  async make(): Promise<NewManagerToken> {
    const { id, secret, fingerprint } = newSecret();
    const text = `mt_${id}_${secret}`;
    await write(this.#secrets, 'managerToken', nameOf.managerToken(id), { text, madeAt: this.#clock.now() }, null);
    return { tokenId: id, text, fingerprint };
  }

  /** Forgets a token that was revoked, or that was made for nothing. */
  async forget(tokenId: string): Promise<void> {
    this.#lastUsed.forget(tokenId);
    await erase(this.#secrets, this.#clock, nameOf.managerToken(tokenId));
  }

  /** To the minute, ms since 1970, by this gateway since it started; null: not. */
  lastUsedAt(tokenId: string): number | null {
    return this.#lastUsed.at(tokenId);
  }
}
