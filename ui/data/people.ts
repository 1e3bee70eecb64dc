import type { Role } from '../../domain/people/role.ts';
import { age, counted, timeLeft } from './amounts.ts';
import type { PersonRow } from './gateway.ts';

/** What an admin reads of people. Times are the server's, in ms since 1970. */

export interface PersonState {
  readonly tone: 'ok' | 'busy' | 'idle' | 'warn';
  readonly text: string;
}

/** Whether somebody can sign in, and what is in their way. */
export function personState({ hasPassword, linkUntil, lockedUntil }: PersonRow, nowMs: number): PersonState {
  if (isAhead(lockedUntil, nowMs)) {
    return { tone: 'warn', text: `Locked for ${age(nowMs, Date.parse(lockedUntil))}: too many wrong passwords` };
  }
  if (isAhead(linkUntil, nowMs)) {
    const link = `link not used yet, ends ${timeLeft(Date.parse(linkUntil), nowMs)}`;
    return { tone: 'busy', text: hasPassword ? `Can sign in; ${link}` : `Invited: ${link}` };
  }
  if (hasPassword) return { tone: 'ok', text: 'Can sign in' };
  return { tone: 'idle', text: 'Cannot sign in: needs a new link' };
}

/** `4 min ago, in 2 browsers`; null: signed in nowhere. */
export function seenText({ seenAt, browserSessions }: PersonRow, nowMs: number): string | null {
  if (seenAt === null) return null;
  const browsers = counted(browserSessions, 'browser', 'browsers');
  return `${age(Date.parse(seenAt), nowMs)} ago, in ${browsers}`;
}

/** What a role may do, for whoever gives it. */
export function roleMeaning(role: Role): string {
  switch (role) {
    case 'viewer':
      return 'Sees the whole fleet, changes nothing.';
    case 'operator':
      return 'Also starts and stops sessions, and sets agents up.';
    case 'admin':
      return 'Also defines images, approves agents, and decides who may come in.';
  }
}

export function removalConsequences(
  { name, linkUntil, browserSessions }: PersonRow,
  isSelf: boolean,
): readonly string[] {
  const who = isSelf ? 'You are' : `${name} is`;
  const browsers = browserSessions === 0 ? '' : ` of ${counted(browserSessions, 'browser', 'browsers')}`;
  return [
    `${who} signed out${browsers} at once, and can no longer sign in.${linkUntil === null ? '' : ' The link that is open is void.'}`,
    'What they did stays in the log, under their account. Sessions that they started run on.',
    'Somebody with the same account later is another person, with a password of their own.',
  ];
}

export function signOutConsequences({ name, browserSessions }: PersonRow, isSelf: boolean): readonly string[] {
  const browsers = counted(browserSessions, 'browser', 'browsers');
  return [
    isSelf
      ? `You are signed out of ${browsers}, this one too.`
      : `${name} is signed out of ${browsers} at once. What they were typing there is lost.`,
    'The password stays as it is, so they can sign in again. If somebody else may know it, make a new link too.',
  ];
}

export function linkConsequences({ name, hasPassword, linkUntil }: PersonRow): readonly string[] {
  return [
    `With the link ${name} sets a new password. It works once, within 24 hours.`,
    ...(linkUntil === null ? [] : ['The link that is open now is void as soon as there is a new one.']),
    ...(hasPassword
      ? ['The password so far works until then. When the new one is set, all their browsers are signed out.']
      : []),
  ];
}

function isAhead(time: string | null, nowMs: number): time is string {
  return time !== null && Date.parse(time) > nowMs;
}
