import { accept, reject, type Decision } from '../decision.ts';
import type { FleetFact } from '../events.ts';
import type { FleetState } from '../fleet/state.ts';
import type { ManagerTokenCommand } from './commands.ts';
import { MANAGER_TOKENS_LIMIT } from './state.ts';

export function decideTokenIssue(
  { managerTokens }: FleetState,
  { tokenId, fingerprint }: Extract<ManagerTokenCommand, { type: 'IssueManagerToken' }>,
): Decision<FleetFact> {
  if (managerTokens.has(tokenId)) return reject('MANAGER_TOKEN_EXISTS', `there is a manager token ${tokenId} already`);
  const tokens = managerTokens.size;
  if (tokens >= MANAGER_TOKENS_LIMIT) {
    return reject('MANAGER_TOKENS_FULL', `${tokens} manager tokens are live, which is the most; revoke some first`, {
      tokens,
      limit: MANAGER_TOKENS_LIMIT,
    });
  }
  return accept([{ type: 'ManagerTokenIssued', data: { tokenId, fingerprint } }], { tokenId });
}

/** Without any token no agent could come back, so the last one ends only when that is said. */
export function decideTokenRevocation(
  { managerTokens }: FleetState,
  { tokenId, force }: Extract<ManagerTokenCommand, { type: 'RevokeManagerToken' }>,
): Decision<FleetFact> {
  if (!managerTokens.has(tokenId)) return reject('MANAGER_TOKEN_UNKNOWN', `there is no manager token "${tokenId}"`);
  if (managerTokens.size === 1 && !force) {
    return reject(
      'MANAGER_TOKEN_LAST',
      `${tokenId} is the last manager token, and without one no agent is admitted; issue another one first, or force it`,
    );
  }
  return accept([{ type: 'ManagerTokenRevoked', data: { tokenId } }], { tokenId });
}
