import { SecretError, SecretErrorCode } from './errors.ts';
import { conflict, requireRoom, requireValidName, requireValidSecret } from './guards.ts';
import type { Secret, SecretStore } from './port.ts';

/** What stores in memory share, as gateways share a bus. */
export interface SharedSecrets {
  readonly standing: Map<string, Secret>;
  readonly listeners: Set<(name: string) => void>;
  /** The last revision that was given. */
  last: number;
  /** While true, writes are refused and reads go on, as when the bus is away. */
  away: boolean;
}

export function sharedSecrets(): SharedSecrets {
  return { standing: new Map(), listeners: new Set(), last: 0, away: false };
}

/** Secrets in memory, for tests and the simulation: whoever holds the same `shared` sees the same secrets. */
export function createMemorySecrets(shared: SharedSecrets = sharedSecrets()): SecretStore {
  const own = new Set<(name: string) => void>();

  function requirePresent(): void {
    if (shared.away)
      throw new SecretError(SecretErrorCode.Unavailable, 'the secrets cannot be written: the bus is away');
  }

  function requireRevision(name: string, expected: number | null): void {
    if ((shared.standing.get(name)?.revision ?? null) !== expected) throw conflict(name);
  }

  function tell(name: string): void {
    for (const listener of shared.listeners) listener(name);
  }

  return {
    get: (name) => shared.standing.get(name) ?? null,
    names: (prefix) => [...shared.standing.keys()].filter((name) => name.startsWith(prefix)).sort(),
    async put(name, value, expected) {
      requireValidSecret(name, value);
      requirePresent();
      requireRevision(name, expected);
      requireRoom(shared.standing.size, expected === null);
      shared.last += 1;
      shared.standing.set(name, { value, revision: shared.last });
      const revision = shared.last;
      tell(name);
      return revision;
    },
    async remove(name, expected) {
      requireValidName(name);
      requirePresent();
      requireRevision(name, expected);
      shared.standing.delete(name);
      tell(name);
    },
    onChange(listener) {
      own.add(listener);
      shared.listeners.add(listener);
      return () => {
        own.delete(listener);
        shared.listeners.delete(listener);
      };
    },
    async close() {
      for (const listener of own) shared.listeners.delete(listener);
      own.clear();
    },
  };
}
