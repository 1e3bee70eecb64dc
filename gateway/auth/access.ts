import { join } from 'node:path';
import type { FleetState } from '../../domain/fleet/state.ts';
import { LOCAL_ADMIN } from '../../domain/people/account.ts';
import type { Clock } from '../../infra/clock.ts';
import type { SecretStore } from '../../infra/secrets/port.ts';
import { Accounts } from './accounts.ts';
import { BrowserSessions } from './browserSessions.ts';
import { isLocalAdmin, LOCAL_ACTOR, type Caller } from './caller.ts';
import { AccessKeys, looksIssued } from './keys.ts';
import { ManagerTokens } from './managerTokens.ts';
import { Passwords } from './passwords.ts';
import { secretFromFile } from './secretFile.ts';
import { SignInTokens } from './signInTokens.ts';
import { isSame } from './stored.ts';
import { sweepSecrets } from './sweep.ts';

export interface Access {
  /** Of the links that the machine's administrator signs in with. */
  readonly tokens: SignInTokens;
  readonly accounts: Accounts;
  readonly sessions: BrowserSessions;
  readonly keys: AccessKeys;
  readonly managerTokens: ManagerTokens;
  byKey(authorization: string): Caller | null;
  byCookie(value: string): Caller | null;
  /** The caller as it is now, with the role that it has by now; null: it is not let in any more. */
  again(caller: Caller): Caller | null;
  /** Whether the caller still stands as it did when it asked, with the same role: what stays open asks again. */
  stands(caller: Caller): boolean;
  /** Removes secrets that open nothing any more; for the gateway that leads the fleet's log. */
  sweep(): Promise<number>;
}

export interface AccessPorts {
  readonly dataDir: string;
  readonly adminKey: string | undefined;
  readonly secrets: SecretStore;
  /** What is folded of the fleet's log. */
  readonly fleet: () => FleetState;
  readonly clock: Clock;
  readonly onTrouble: (sentence: string, cause?: unknown) => void;
}

/** A key that somebody else holds, with a role of its own, would be this gateway's master key. */
export class AdminKeyIssued extends Error {
  override readonly name = 'AdminKeyIssued';
  readonly code = 'ADMIN_KEY_ISSUED';
  constructor() {
    super('MUSTER_ADMIN_KEY is an access key that was issued (mk_…); a gateway needs one of its own, or none');
  }
}

/**
 * The key of the machine's administrator is MUSTER_ADMIN_KEY, or made once in the data folder, where the command
 * line finds it. Rejects with AdminKeyIssued.
 */
export async function openAccess(ports: AccessPorts): Promise<Access> {
  const { secrets, fleet, clock, onTrouble } = ports;
  if (ports.adminKey !== undefined && looksIssued(ports.adminKey)) throw new AdminKeyIssued();
  const adminKey = ports.adminKey ?? (await secretFromFile(join(ports.dataDir, 'admin.key')));
  const localAdmin: Caller = { actor: LOCAL_ACTOR, role: 'admin', by: 'key', expiresAt: null, sessionId: null };
  const keys = new AccessKeys(secrets, fleet, clock);
  const sessions = new BrowserSessions({ secrets, fleet, clock, onTrouble });
  const accounts = new Accounts({ secrets, fleet, clock, passwords: new Passwords(), onLocked: onTrouble });
  return {
    tokens: new SignInTokens(clock),
    accounts,
    sessions,
    keys,
    managerTokens: new ManagerTokens(secrets, fleet, clock),
    byKey(authorization) {
      const shown = /^Bearer +(.+)$/i.exec(authorization)?.[1];
      if (shown === undefined) return null;
      return isSame(shown, adminKey) ? localAdmin : keys.verifyText(shown);
    },
    byCookie(value) {
      const found = sessions.find(value);
      return found === null ? null : callerOf(found);
    },
    again,
    stands: (caller) => again(caller)?.role === caller.role,
    sweep: () => sweepSecrets({ secrets, fleet: fleet(), sessions, clock }),
  };

  function again(caller: Caller): Caller | null {
    if (caller.sessionId === null) return isLocalAdmin(caller) ? localAdmin : keys.look(caller.actor.id);
    const found = sessions.look(caller.sessionId);
    return found === null ? null : callerOf(found);
  }
}

function callerOf({ personId, role, expiresAt, sessionId }: NonNullable<ReturnType<BrowserSessions['find']>>): Caller {
  const actor = personId === LOCAL_ADMIN ? LOCAL_ACTOR : ({ kind: 'operator', id: personId } as const);
  return { actor, role, by: 'cookie', expiresAt, sessionId };
}
