import { hash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../infra/clock.ts';
import { isSecretConflict } from '../../infra/secrets/errors.ts';
import type { SecretStore } from '../../infra/secrets/port.ts';

/**
 * What is kept as secrets, by name. Times are ms since 1970; `serial` is that of the person it was made for, so that it
 * fits nobody who gets the same account later.
 *
 *     person.<account>    the hash of a password
 *     link.<account>      the one link with which the person may set a password; the newest replaces those before
 *     session.<id>        a browser that is signed in
 *     key.<key id>        the hash of an access key's secret
 *     agent.<agent id>    what proves that an agent is the one that was admitted
 *     manager-token.<id>  a manager token, whole: agents that hold another one are given it
 */
export const shapes = {
  person: z.object({ serial: z.int(), hash: z.string() }),
  link: z.object({ serial: z.int(), tokenHash: z.string(), standing: z.int().nullable(), expiresAt: z.number() }),
  session: z.object({
    personId: z.string(),
    serial: z.int(),
    madeAt: z.number(),
    seenAt: z.number(),
    browser: z.string(),
  }),
  key: z.object({ hash: z.string(), madeAt: z.number() }),
  managerToken: z.object({ text: z.string(), madeAt: z.number() }),
} as const;

export type Kind = keyof typeof shapes;
export type Stored<K extends Kind> = z.infer<(typeof shapes)[K]>;

export const nameOf = {
  person: (personId: string) => `person.${personId}`,
  link: (personId: string) => `link.${personId}`,
  session: (id: string) => `session.${id}`,
  key: (keyId: string) => `key.${keyId}`,
  agent: (agentId: string) => `agent.${agentId}`,
  managerToken: (tokenId: string) => `manager-token.${tokenId}`,
} as const;

/** What stands under a name, or null; what another release wrote and this one cannot read is nothing. */
export function read<K extends Kind>(
  secrets: SecretStore,
  kind: K,
  name: string,
): { readonly value: Stored<K>; readonly revision: number } | null {
  const secret = secrets.get(name);
  if (secret === null) return null;
  const parsed = shapes[kind].safeParse(JSON.parse(secret.value));
  // The schema of the kind gives the shape of the kind, which TypeScript does not follow through the index.
  return parsed.success ? { value: parsed.data as Stored<K>, revision: secret.revision } : null;
}

export function write<K extends Kind>(
  secrets: SecretStore,
  _kind: K,
  name: string,
  value: Stored<K>,
  expected: number | null,
): Promise<number> {
  return secrets.put(name, JSON.stringify(value), expected);
}

const TRIES = 20;
const PAUSE_MS = 25;

/** Removes whatever stands under the name, also when somebody is just writing it. Rejects when the store is away. */
export async function erase(secrets: SecretStore, clock: Clock, name: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const secret = secrets.get(name);
    if (secret === null) return;
    try {
      await secrets.remove(name, secret.revision);
      return;
    } catch (error) {
      if (!isSecretConflict(error) || tries >= TRIES) throw error;
    }
    await clock.sleep(PAUSE_MS);
  }
}

/** Of what has so much chance in it that nobody guesses it: a plain hash is enough, and quick. */
export function hashOf(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

/** Compares in constant time, by hashes of equal length. */
export function isSame(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}
