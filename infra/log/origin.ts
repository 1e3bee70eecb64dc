import type { Commit } from '../../domain/commit.ts';

/** Gives back what it is given, so that a class derived from it puts its private field into that very object. */
const Given = function (object: object): object {
  return object;
} as unknown as new (object: object) => object;

/**
 * The bytes that a commit was read from, kept in the commit where nobody sees them: they are not compared, copied or
 * cloned with it, and live as long as it does. A WeakMap does the same and makes reading a log a tenth slower.
 */
class Origin extends Given {
  readonly #bytes: Uint8Array;

  constructor(commit: Commit, bytes: Uint8Array) {
    super(commit);
    this.#bytes = bytes;
  }

  static of(commit: Commit): Uint8Array | null {
    return #bytes in commit ? commit.#bytes : null;
  }
}

/** Once for each commit that is read. */
export function rememberOrigin(commit: Commit, bytes: Uint8Array): void {
  void new Origin(commit, bytes);
}

/** The bytes that this very commit was read from; null for one that was made here. */
export function originOf(commit: Commit): Uint8Array | null {
  return Origin.of(commit);
}
