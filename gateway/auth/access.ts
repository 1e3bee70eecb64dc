import { join } from 'node:path';
import type { Actor } from '../../domain/events.ts';
import type { Clock } from '../../infra/clock.ts';
import { CookieSeal, isSame } from './cookie.ts';
import { secretFromFile } from './secretFile.ts';
import { SignInTokens } from './signInTokens.ts';

/** The only person there is so far; roles and further people come later. */
const ADMIN: Actor = { kind: 'operator', id: 'admin' };

/** Who is asking, and how they showed it: a cookie needs proof that the page is ours, a key does not. */
export interface Caller {
  readonly actor: Actor;
  readonly by: 'key' | 'cookie';
  /** When the proof ends, in ms; null for a key. */
  readonly expiresAt: number | null;
}

export interface Access {
  readonly tokens: SignInTokens;
  byKey(authorization: string): Caller | null;
  byCookie(value: string): Caller | null;
  sealCookie(): string;
}

/** The admin key is MUSTER_ADMIN_KEY, or made once in the data folder, where the command line finds it. */
export async function openAccess(dataDir: string, adminKey: string | undefined, clock: Clock): Promise<Access> {
  const [key, cookieSecret] = await Promise.all([
    adminKey ?? secretFromFile(join(dataDir, 'admin.key')),
    secretFromFile(join(dataDir, 'cookie.key')),
  ]);
  const seal = new CookieSeal(cookieSecret, clock);
  return {
    tokens: new SignInTokens(clock),
    byKey(authorization) {
      const shown = /^Bearer +(.+)$/i.exec(authorization)?.[1];
      return shown !== undefined && isSame(shown, key) ? { actor: ADMIN, by: 'key', expiresAt: null } : null;
    },
    byCookie(value) {
      const opened = seal.open(value);
      if (opened === null || opened.personId !== ADMIN.id) return null;
      return { actor: ADMIN, by: 'cookie', expiresAt: opened.expiresAt };
    },
    sealCookie: () => seal.seal(ADMIN.id),
  };
}
