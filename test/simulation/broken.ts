/** Something that must never happen and did. */
export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken';
  readonly code = 'INVARIANT_BROKEN';
  readonly invariant: string;
  constructor(invariant: string, detail: string, cause?: unknown) {
    super(`${invariant}: ${detail}`, { cause });
    this.invariant = invariant;
  }
}

/** Throws InvariantBroken unless there is no problem. */
export function assertHolds(invariant: string, problem: string | null): void {
  if (problem !== null) throw new InvariantBroken(invariant, problem);
}
