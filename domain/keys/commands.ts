import type { Role } from '../people/role.ts';

/** Id and fingerprint are made by whoever made the secret, before anything is recorded. */
export type KeyCommand =
  | {
      readonly type: 'IssueAccessKey';
      readonly keyId: string;
      readonly name: string;
      readonly role: Role;
      /** ISO 8601; null: none. */
      readonly expiresAt: string | null;
      readonly fingerprint: string;
    }
  | { readonly type: 'RevokeAccessKey'; readonly keyId: string };
