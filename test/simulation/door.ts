import type { AnyEvent } from '../../domain/events.ts';
import { AccessKeys } from '../../gateway/auth/keys.ts';
import { ManagerTokens } from '../../gateway/auth/managerTokens.ts';
import { Admission, isRefusal, type Refusal, type Shown } from '../../gateway/callout/admission.ts';
import { Doorkeeper } from '../../gateway/callout/doorkeeper.ts';
import type { Entry } from '../../gateway/callout/entry.ts';
import { Rejections } from '../../gateway/callout/rejections.ts';
import type { Core } from '../../gateway/core/core.ts';
import type { Clock } from '../../infra/clock.ts';
import type { SecretStore } from '../../infra/secrets/port.ts';
import { admitting, type Bug } from './bugs.ts';
import type { Entrance } from './entrance.ts';

export interface GatewayDoorOptions {
  readonly core: Core;
  readonly entrance: Entrance;
  readonly secrets: SecretStore;
  readonly clock: Clock;
  /** Tells one coming from every other. */
  readonly newArrival: () => string;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
  readonly bug: Bug | null;
}

/** After these somebody may have to leave, or may do more than when he entered: as gateway/callout/door.ts has it. */
const CHANGES: ReadonlySet<string> = new Set<AnyEvent['type']>([
  'AgentApproved',
  'AgentRevoked',
  'AgentRemoved',
  'ManagerTokenRevoked',
]);
const CATCH_UP_MS = 300;
/** No simulated agent floods its gateways. */
const nobody = () => false;
const SYSTEM = { kind: 'system', id: 'muster' } as const;

/** The real parts of a gateway's door, at the simulated bus instead of the real one. */
export class GatewayDoor {
  readonly #options: GatewayDoorOptions;
  readonly #admission: Pick<Admission, 'admit'>;
  readonly #doorkeeper: Doorkeeper;
  readonly #rejections: Rejections;

  constructor(options: GatewayDoorOptions) {
    const { core, entrance, secrets, clock, newArrival, onTrouble, bug } = options;
    this.#options = options;
    const fleet = () => core.fleetProjection.state;
    const keys = new AccessKeys(secrets, fleet, clock);
    this.#admission = new Admission(
      admitting(bug, {
        fleet,
        managerTokens: new ManagerTokens(secrets, fleet, clock),
        keys,
        enrol: (arrival) => this.#enrol(arrival),
        isQuieted: nobody,
        catchUp: () => clock.sleep(CATCH_UP_MS),
        clock,
      }),
    );
    this.#doorkeeper = new Doorkeeper({
      connections: () => entrance.list(),
      close: (connection) => entrance.close(connection),
      fleet,
      keys,
      isQuieted: nobody,
      isLeading: () => core.fleet.role === 'leading',
      clock,
      onClosed: (named) => onTrouble('a connection was closed', new Error(JSON.stringify(named))),
      onTrouble,
    });
    this.#rejections = new Rejections({
      clock,
      async record(command) {
        const answer = await core.fleet.submit({ key: newArrival(), recorded: false, actor: SYSTEM, command });
        return answer.kind === 'rejected' ? answer.rejection : null;
      },
      onTrouble,
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#doorkeeper.run(signal), this.#rejections.run(signal)]);
  }

  async admit(shown: Shown): Promise<Entry | Refusal> {
    const outcome = await this.#judge(shown);
    if (typeof outcome === 'string') this.#rejections.count(outcome);
    return outcome;
  }

  note(events: readonly Pick<AnyEvent, 'type'>[]): void {
    if (events.some(({ type }) => CHANGES.has(type))) this.#doorkeeper.ring();
  }

  heard(agentId: string): void {
    const agent = this.#options.core.fleetProjection.state.agents.get(agentId);
    if (agent !== undefined && agent.revokedAt !== null) this.#doorkeeper.ring();
  }

  async #judge(shown: Shown): Promise<Entry | Refusal> {
    try {
      return await this.#admission.admit(shown);
    } catch (error) {
      this.#options.onTrouble('somebody could not be let in, and will try again', error);
      return 'UNAVAILABLE';
    }
  }

  async #enrol(arrival: Parameters<Core['enrol']>[0]): Promise<Refusal | null> {
    const { core, newArrival } = this.#options;
    const rejection = await core.enrol(arrival, newArrival());
    if (rejection === null) return null;
    return isRefusal(rejection.code) ? rejection.code : 'UNAVAILABLE';
  }
}
