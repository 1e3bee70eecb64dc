import type { PruneRefusalCode } from '../../infra/bus/pruneCalls.ts';

/** An agent did not prune, or cannot be asked. The message says why, and what to do. */
export class PruneRefused extends Error {
  override readonly name = 'PruneRefused';
  readonly code: PruneRefusalCode;

  constructor(code: PruneRefusalCode, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

export function isPruneRefused(error: unknown): error is PruneRefused {
  return error instanceof PruneRefused;
}
