import { z } from 'zod';
import { ACCOUNT_PATTERN, NAME_PATTERN } from './account.ts';
import { ROLES } from './role.ts';

export const personId = z
  .string()
  .regex(ACCOUNT_PATTERN, 'an account is 1 to 64 small letters, digits, "_" or "-", and begins with a letter or digit');
export const shownName = z.string().regex(NAME_PATTERN, 'a name is 1 to 120 characters that can be read');
export const role = z.enum(ROLES);

/** Who may sign in. Passwords and sessions are secrets and stand elsewhere; nothing here helps to guess one. */
export const peopleEvents = {
  PersonCreated: z.object({ personId, name: shownName, role }),
  PersonRoleChanged: z.object({ personId, role, previous: role }),
  PersonRemoved: z.object({ personId }),
};
