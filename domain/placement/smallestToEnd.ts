import type { Claim } from '../schemas.ts';
import type { HeldSession } from '../sessions/state.ts';

/** The session with the smallest claim that alone would free enough; ties by id. Null when no single one would. */
export function smallestToEnd(
  held: readonly HeldSession[],
  amount: (claim: Claim) => number,
  short: number,
): string | null {
  let best: HeldSession | null = null;
  for (const session of held) {
    if (amount(session.claim) < short) continue;
    if (best === null || compare(session, best) < 0) best = session;
  }
  return best?.sessionId ?? null;

  function compare(a: HeldSession, b: HeldSession): number {
    return amount(a.claim) - amount(b.claim) || (a.sessionId < b.sessionId ? -1 : 1);
  }
}
