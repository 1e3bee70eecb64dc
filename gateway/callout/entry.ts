import type { Role } from '../../domain/people/role.ts';
import {
  agentAnswerSubjectsOf,
  agentAskSubjectsOf,
  agentCallSubjects,
  agentInbox,
  inboxPrefix,
  checkInSubject,
  commandSubjectsOf,
  desiredSubject,
  FEED_SUBJECTS,
  querySubjectsOf,
} from '../../infra/names.ts';

/** Whom the bus lets in, and as what. */
export type Entry =
  | {
      readonly kind: 'agent';
      readonly agentId: string;
      readonly standing: 'pending' | 'approved';
      /** The manager token that admitted it. */
      readonly tokenId: string;
      /** Where it may check in: those that there are. */
      readonly zones: readonly string[];
    }
  | {
      readonly kind: 'key';
      readonly keyId: string;
      readonly role: Role;
      /** ms since 1970; null: not by itself. */
      readonly expiresAt: number | null;
    };

/** Where a list is empty: nothing at all. */
export interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/**
 * The least that each needs, and the only place that says so. Nobody may speak to JetStream: it sends what is asked of it to
 * whatever reply subject the asker names, a stream's included. For the same reason nobody may answer what it hears: an agent has a subject of its own for what
 * gateways call it for.
 */
export function permissionsOf(entry: Entry): Permissions {
  if (entry.kind === 'key') {
    const { keyId } = entry;
    return {
      // A role that is not enough is for the gateway to refuse, which says why.
      publish: [querySubjectsOf(keyId), commandSubjectsOf(keyId)],
      subscribe: [`${inboxPrefix(keyId)}.>`, FEED_SUBJECTS],
    };
  }
  const { agentId, standing, zones } = entry;
  // Each by its name: every subject that somebody thinks of would be kept in the stream of check-ins, and in memory.
  const checkIns = zones.map((zone) => checkInSubject(zone, agentId));
  if (standing === 'pending') return { publish: checkIns, subscribe: [] };
  return {
    publish: [...checkIns, agentAskSubjectsOf(agentId), agentAnswerSubjectsOf(agentId)],
    subscribe: [desiredSubject(agentId), agentCallSubjects(agentId), `${agentInbox(agentId)}.>`],
  };
}

/** What the bus calls a connection, and shows to whoever lists them: ids have no dot in them. */
export function connectionName(entry: Entry): string {
  return entry.kind === 'key' ? `key.${entry.keyId}` : `agent.${entry.agentId}.${entry.standing}.${entry.tokenId}`;
}

export type Named =
  | { readonly kind: 'key'; readonly keyId: string }
  | {
      readonly kind: 'agent';
      readonly agentId: string;
      readonly standing: 'pending' | 'approved';
      readonly tokenId: string;
    };

/** Who was let in under a name; null when it is none of these, a gateway's own connection for example. */
export function entryNamed(name: string): Named | null {
  const [kind, id = '', standing, tokenId = '', ...rest] = name.split('.');
  if (rest.length > 0) return null;
  if (kind === 'key' && standing === undefined) return { kind, keyId: id };
  const isAgent = kind === 'agent' && (standing === 'pending' || standing === 'approved') && tokenId !== '';
  return isAgent ? { kind, agentId: id, standing, tokenId } : null;
}
