import type { Role } from './role.ts';

export type PeopleCommand =
  | { readonly type: 'CreatePerson'; readonly personId: string; readonly name: string; readonly role: Role }
  | { readonly type: 'ChangePersonRole'; readonly personId: string; readonly role: Role }
  | { readonly type: 'RemovePerson'; readonly personId: string };
