import type { Role } from './role.ts';

/**
 * Somebody who may sign in. `serial` counts the people ever created: whoever gets an account that another had before is
 * somebody else, and nothing kept for the other fits them.
 */
export interface Person {
  readonly personId: string;
  readonly name: string;
  readonly role: Role;
  readonly serial: number;
  readonly createdAt: string;
}

export const PEOPLE_LIMIT = 1000;
