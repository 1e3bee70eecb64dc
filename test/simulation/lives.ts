import type { FleetEvent } from '../../domain/events.ts';

/** From its enrolment until its removal: an id that begins anew begins another life. Versions are of the fleet's log. */
export interface Life {
  readonly agentId: string;
  readonly fingerprint: string | null;
  approved: number | null;
  revoked: number | null;
  removed: number | null;
}

/** Who was who at which version of the fleet's log, and which manager tokens were good: nothing of it is ever forgotten. */
export class Lives {
  readonly #ofAgent = new Map<string, Life[]>();
  /** By token, the version at which it was revoked; null: it is good. */
  readonly tokens = new Map<string, number | null>();

  /** Takes the next event; null, or what is wrong with it. */
  take({ type, data }: FleetEvent, version: number): string | null {
    if (type === 'ManagerTokenIssued') this.tokens.set(data.tokenId, null);
    if (type === 'ManagerTokenRevoked') this.tokens.set(data.tokenId, version);
    if (type === 'AgentEnrolled') return this.#enrolled(data);
    if (type !== 'AgentApproved' && type !== 'AgentRevoked' && type !== 'AgentRemoved') return null;
    const life = this.now(data.agentId);
    if (life === null) return `${type} of ${data.agentId}, which is not there`;
    if (type === 'AgentApproved') life.approved = version;
    else if (type === 'AgentRevoked') life.revoked = version;
    else life.removed = version;
    return null;
  }

  /** The life that it lives; null: it is not known, or was removed. */
  now(agentId: string): Life | null {
    const last = this.of(agentId).at(-1);
    return last === undefined || last.removed !== null ? null : last;
  }

  of(agentId: string): readonly Life[] {
    return this.#ofAgent.get(agentId) ?? [];
  }

  #enrolled({ agentId, fingerprint }: { readonly agentId: string; readonly fingerprint: string | null }) {
    const known = this.now(agentId);
    if (known !== null) return `${agentId} was enrolled although it was there`;
    const life = { agentId, fingerprint, approved: null, revoked: null, removed: null };
    this.#ofAgent.set(agentId, [...this.of(agentId), life]);
    return null;
  }
}

/** Whether it was over at that version, for whoever had read so far. */
export function wasOver({ revoked, removed }: Life, version: number): boolean {
  return (revoked ?? Infinity) <= version || (removed ?? Infinity) <= version;
}
