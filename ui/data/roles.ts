import { isEnough, type Role } from '../../domain/people/role.ts';

/** Why something is not for who is signed in, as a sentence; null when it is. The gateway looks again, whatever is shown. */
export function whyNot(may: Role, needed: Role): string | null {
  return isEnough(may, needed) ? null : `This needs the role ${needed}; yours is ${may}.`;
}

/** What a role means for whoever has it; null when there is nothing that it must not do. */
export function roleNote(may: Role): string | null {
  switch (may) {
    case 'viewer':
      return 'As a viewer you see everything and change nothing. An admin can give you another role.';
    case 'operator':
      return 'As an operator you run sessions and agents. Images and approvals need an admin.';
    case 'admin':
      return null;
  }
}
