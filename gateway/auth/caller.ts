import type { Actor } from '../../domain/events.ts';
import { LOCAL_ADMIN } from '../../domain/people/account.ts';
import type { Role } from '../../domain/people/role.ts';

/** Who is asking, what they may do, and how they showed it: a cookie needs proof that the page is ours, a key does not. */
export interface Caller {
  readonly actor: Actor;
  readonly role: Role;
  readonly by: 'key' | 'cookie' | 'bus';
  /** When the proof ends if nothing happens, in ms since 1970; null: not by itself. */
  readonly expiresAt: number | null;
  /** Of the browser session; null for a key. */
  readonly sessionId: string | null;
}

/** The administrator on the gateway's machine, who is no person. */
export const LOCAL_ACTOR: Actor = { kind: 'operator', id: LOCAL_ADMIN };

export function isLocalAdmin({ actor }: Pick<Caller, 'actor'>): boolean {
  return actor.kind === LOCAL_ACTOR.kind && actor.id === LOCAL_ACTOR.id;
}

/** The person who is asking, or null when it is a key or the local administrator. */
export function personOf(caller: Caller): string | null {
  return caller.actor.kind === 'operator' && !isLocalAdmin(caller) ? caller.actor.id : null;
}
