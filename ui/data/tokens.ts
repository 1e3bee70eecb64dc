import { age } from './amounts.ts';
import type { TokenRow } from './gateway.ts';

/** What an admin reads of manager tokens. Times are the server's, in ms since 1970. */

export const JOIN_COMMAND = 'npx muster agent --join <bus url> --token-file manager.token';

/** The last one is another matter: without it nobody is admitted. */
export function tokenRevocationConsequences(
  { lastUsedAt }: TokenRow,
  isLast: boolean,
  nowMs: number,
): readonly string[] {
  const use =
    lastUsedAt === null
      ? 'No agent has shown it to this gateway since that started.'
      : `An agent showed it ${age(Date.parse(lastUsedAt), nowMs)} ago.`;
  return [
    `Agents that show it are cut off and not admitted again, until they have another token. ${use}`,
    ...(isLast ? ['It is the last one: until another is issued, no agent at all is admitted.'] : []),
    'Sessions run on; their agents become late, and then missing.',
    'It cannot be taken back.',
  ];
}
