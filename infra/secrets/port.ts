export interface Secret {
  readonly value: string;
  /** Raised by every write of this name, never the same twice; opaque but for comparing. */
  readonly revision: number;
}

/** Most secrets that are kept at a time; one more name is refused with SECRETS_FULL. */
export const MOST_SECRETS = 10_000;
/** Longest value, in bytes of its UTF-8. */
export const MOST_SECRET_BYTES = 8 * 1024;

/**
 * What must be known to every gateway and to nobody else: hashes of passwords and keys, tokens, signing keys. A secret is
 * written first and an event makes it valid; a secret without its event means nothing and may be swept.
 *
 * All of it is in memory once the store is open, so reads are synchronous; what other gateways write is shown as soon as
 * it is heard of. While the bus is away reads show what stood last.
 *
 * `names` is sorted and lists the names that begin with `prefix`.
 * `put` is a compare-and-set on the revision (null: there must be none) and resolves with the new revision once this store's
 * own `get` shows it. `remove` is one as well. Both reject with SecretError: SECRET_CONFLICT when somebody else has written,
 * SECRETS_UNAVAILABLE while the bus is away (it may or may not have been written: read again when it is back), SECRETS_FULL,
 * SECRET_INVALID for a name or value that no store takes.
 * `onChange` calls back with a name after `get` shows what is new, own writes included; the result ends it.
 */
export interface SecretStore {
  get(name: string): Secret | null;
  names(prefix: string): readonly string[];
  put(name: string, value: string, expected: number | null): Promise<number>;
  remove(name: string, expected: number): Promise<void>;
  onChange(listener: (name: string) => void): () => void;
  close(): Promise<void>;
}
