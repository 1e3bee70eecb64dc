import type { Shown } from '../../gateway/callout/admission.ts';
import type { Entry } from '../../gateway/callout/entry.ts';
import { fingerprintOf, partsOfAgentPassword } from '../../infra/agentIdentity.ts';
import { wasOver, type Lives } from './lives.ts';

/** Somebody who was let in. */
export interface Admitted {
  readonly shown: Shown;
  readonly entry: Entry;
  /** The version of the fleet's log that the gateway knew when it was asked. */
  readonly known: number;
}

/**
 * Null, or why nobody should have been let in: the token was never issued or known to be revoked, or the secret was never that
 * of the agent, or of one that was known to be revoked or removed. `issued` has every token by its id.
 */
export function wrongAdmission(
  { shown, entry, known }: Admitted,
  lives: Lives,
  issued: ReadonlyMap<string, string>,
): string | null {
  const { user, password, host } = shown;
  const parts = partsOfAgentPassword(password);
  const who = `${user}, from ${host},`;
  if (entry.kind !== 'agent' || parts === null || entry.agentId !== user) return `${who} is in as something else`;
  const { tokenId, standing } = entry;
  const revoked = lives.tokens.get(tokenId);
  if (issued.get(tokenId) !== parts.token || revoked === undefined)
    return `${who} is in with a token that nobody issued`;
  if (revoked !== null && revoked <= known) return `${who} is in with ${tokenId}, which was known to be revoked`;
  const fingerprint = fingerprintOf(parts.secret);
  const own = lives.of(user).filter((life) => life.fingerprint === fingerprint);
  if (own.length === 0) return `${who} is in with the secret of another`;
  if (own.every((life) => wasOver(life, known))) return `${who} is in although it was known to be revoked or removed`;
  if (standing === 'approved' && own.every(({ approved }) => approved === null)) return `${who} is in as if approved`;
  return null;
}
