import type { FleetState } from '../../domain/fleet/state.ts';
import { isId } from '../../domain/ids.ts';
import { fingerprintOf, hostOfClientName, partsOfAgentPassword, type AgentHost } from '../../infra/agentIdentity.ts';
import type { Clock } from '../../infra/clock.ts';
import type { AccessKeys } from '../auth/keys.ts';
import type { ManagerTokens } from '../auth/managerTokens.ts';
import { placeOf } from '../auth/place.ts';
import type { Entry } from './entry.ts';
import { Tries } from './tries.ts';

/** What a client of the bus shows of itself. Everything is as it came: of any length that the bus lets through. */
export interface Shown {
  readonly user: string;
  readonly password: string;
  /** What it calls itself. */
  readonly name: string;
  /** Where it comes from. */
  readonly host: string;
}

/** Why somebody is not let in. The client learns none of it but that it is refused. */
const refusals = [
  'CREDENTIALS_MALFORMED',
  'MANAGER_TOKEN_WRONG',
  'AGENT_SECRET_WRONG',
  'AGENT_REVOKED',
  'AGENT_FLOODS',
  'PENDING_FULL',
  'KEY_WRONG',
  'TOO_MANY_TRIES',
  'UNAVAILABLE',
] as const;
export type Refusal = (typeof refusals)[number];

export function isRefusal(code: string): code is Refusal {
  return refusals.some((refusal) => refusal === code);
}

/** What is said of an agent that nobody knows yet, or that comes with a secret nobody has seen. */
export interface Arrival extends AgentHost {
  readonly agentId: string;
  readonly fingerprint: string;
}

export interface AdmissionPorts {
  readonly fleet: () => FleetState;
  readonly managerTokens: Pick<ManagerTokens, 'verify'>;
  readonly keys: Pick<AccessKeys, 'verifyKey'>;
  /**
   * Has an arrival recorded, or confirmed against what is recorded by now. Null: the agent is known by this fingerprint
   * and not revoked.
   */
  readonly enrol: (arrival: Arrival) => Promise<Refusal | null>;
  /** Whether an agent has said so much that it has to wait. */
  readonly isQuieted: (agentId: string) => boolean;
  /** Resolves when what another gateway has just recorded is known here as well, as far as waiting helps. */
  readonly catchUp: () => Promise<void>;
  readonly clock: Clock;
}

/** A token or key that another gateway issued a moment ago is told only by what has been heard since. */
const MAY_BE_NEW: ReadonlySet<Entry | Refusal> = new Set(['MANAGER_TOKEN_WRONG', 'KEY_WRONG']);

/** Failures a minute from one host; further ones are not even answered. A host behind which a whole fleet is makes some. */
const MOST_OF_HOST = 600;
/** Tries a minute of one agent, from one host, for which the log had to be asked in vain. */
const MOST_OF_AGENT = 30;

/**
 * Decides who may enter the bus. Whoever shows what is known is let in within the time of a comparison, whatever others do: the
 * limits are for those who fail. A new agent is recorded first.
 */
export class Admission {
  readonly #ports: AdmissionPorts;
  readonly #ofHost: Tries;
  readonly #ofAgent: Tries;

  constructor(ports: AdmissionPorts) {
    this.#ports = ports;
    this.#ofHost = new Tries(ports.clock, MOST_OF_HOST);
    this.#ofAgent = new Tries(ports.clock, MOST_OF_AGENT);
  }

  async admit(shown: Shown): Promise<Entry | Refusal> {
    const host = placeOf(shown.host);
    const outcome = await this.#judgeTwice({ ...shown, host });
    if (typeof outcome !== 'string' || outcome === 'UNAVAILABLE') return outcome;
    if (this.#ofHost.isSpent(host)) return 'TOO_MANY_TRIES';
    this.#ofHost.failed(host);
    return outcome;
  }

  async #judgeTwice(shown: Shown): Promise<Entry | Refusal> {
    const first = await this.#judge(shown);
    if (!MAY_BE_NEW.has(first) || this.#ofHost.isSpent(shown.host)) return first;
    await this.#ports.catchUp();
    return await this.#judge(shown);
  }

  async #judge({ user, password, name, host }: Shown): Promise<Entry | Refusal> {
    if (!isId(user)) return 'CREDENTIALS_MALFORMED';
    const agent = partsOfAgentPassword(password);
    if (agent === null) return this.#key(user, password);
    const tokenId = this.#ports.managerTokens.verify(agent.token);
    if (tokenId === null) return 'MANAGER_TOKEN_WRONG';
    const refused = await this.#identify({ agentId: user, fingerprint: fingerprintOf(agent.secret), name, host });
    if (refused !== null) return refused;
    if (this.#ports.isQuieted(user)) return 'AGENT_FLOODS';
    const { agents, zones } = this.#ports.fleet();
    const enrolment = agents.get(user);
    // Whoever was asked may have known less than this gateway, which has heard that it was revoked or removed.
    if (enrolment === undefined || enrolment.revokedAt !== null) return 'UNAVAILABLE';
    const standing = enrolment.zone === null ? 'pending' : 'approved';
    return { kind: 'agent', agentId: user, standing, tokenId, zones: [...zones] };
  }

  #key(keyId: string, secret: string): Entry | Refusal {
    const caller = this.#ports.keys.verifyKey(keyId, secret);
    return caller === null ? 'KEY_WRONG' : { kind: 'key', keyId, role: caller.role, expiresAt: caller.expiresAt };
  }

  /** What this gateway knows lets in; only the fleet's log itself keeps out, since this gateway may know too little of it. */
  async #identify(coming: {
    readonly agentId: string;
    readonly fingerprint: string;
    readonly name: string;
    readonly host: string;
  }): Promise<Refusal | null> {
    const { agentId, fingerprint, name, host } = coming;
    const known = this.#ports.fleet().agents.get(agentId);
    if (known?.fingerprint === fingerprint && known.revokedAt === null) return null;
    const who = `${host} ${agentId}`;
    if (this.#ofAgent.isSpent(who)) return 'TOO_MANY_TRIES';
    const about = hostOfClientName(name) ?? { hostname: agentId, simulated: false };
    const refused = await this.#ports.enrol({ agentId, ...about, fingerprint });
    if (refused !== null && refused !== 'UNAVAILABLE') this.#ofAgent.failed(who);
    return refused;
  }
}
