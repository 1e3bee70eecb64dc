import { accept, reject, type Decision } from '../decision.ts';
import type { FleetFact } from '../events.ts';
import type { FleetState } from '../fleet/state.ts';
import { looksLikeAddress } from '../people/account.ts';
import type { KeyCommand } from './commands.ts';
import { isExpired, KEYS_LIMIT } from './state.ts';

/** `now` is ISO 8601. */
export function decideIssue(
  { keys }: FleetState,
  { keyId, name, role, expiresAt, fingerprint }: Extract<KeyCommand, { type: 'IssueAccessKey' }>,
  now: string,
): Decision<FleetFact> {
  const nowMs = Date.parse(now);
  if (keys.has(keyId)) return reject('KEY_EXISTS', `there is a key ${keyId} already`);
  if (isExpired({ expiresAt }, nowMs))
    return reject('EXPIRY_PAST', `the key would have expired at ${expiresAt} already`);
  if (looksLikeAddress(name)) {
    return reject('NAME_IS_ADDRESS', 'the name looks like an e-mail address; it is recorded for ever, so give a name');
  }
  const live = [...keys.values()].filter((each) => !isExpired(each, nowMs)).length;
  if (live >= KEYS_LIMIT) {
    return reject('KEYS_FULL', `${live} keys are live, which is the most; revoke some first`, {
      keys: live,
      limit: KEYS_LIMIT,
    });
  }
  return accept([{ type: 'AccessKeyIssued', data: { keyId, name, role, expiresAt, fingerprint } }], { keyId });
}

/** An expired key can be revoked too: then it is gone from the list. */
export function decideRevocation(
  { keys }: FleetState,
  { keyId }: Extract<KeyCommand, { type: 'RevokeAccessKey' }>,
): Decision<FleetFact> {
  if (!keys.has(keyId)) return reject('KEY_UNKNOWN', `there is no key "${keyId}"`);
  return accept([{ type: 'AccessKeyRevoked', data: { keyId } }], { keyId });
}
