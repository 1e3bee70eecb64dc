import type { CheckIn } from '../../domain/checkIn.ts';
import type { FleetFact } from '../../domain/events.ts';
import type { Rejection } from '../../domain/decision.ts';
import type { EnrolAgent, FleetCommand } from '../../domain/fleet/commands.ts';
import { isPending, type Enrolment, type FleetState } from '../../domain/fleet/state.ts';
import { FLEET_LOG, zoneLog, type LogName, type StoredCommit } from '../../infra/log/port.ts';
import { applyCheckIn, type FleetProjection } from '../../projections/fleetProjection.ts';
import { addSample, measuredAt, type UtilizationHistory } from '../../projections/utilization.ts';
import { fleetMachine } from '../controller/fleetMachine.ts';
import { ControllerUnavailable, type Answer } from '../controller/machine.ts';
import type { Replica } from '../controller/replica.ts';
import { LATE_INTERVALS } from '../controller/silence.ts';
import { fleetRules } from './foldRules.ts';
import { serveForwarded } from './forward.ts';
import { fleetSubmission, zoneSubmission } from './forwardedCommands.ts';
import { openLog, type OpenedLog } from './openLog.ts';
import { makeZone, type CorePorts, type Zone } from './zone.ts';

export interface CoreOptions extends CorePorts {
  readonly allowedRegistries: readonly string[];
  /** Agents that need no operator: the one of an embedded start, and simulated ones. */
  readonly approvesItself: (agentId: string) => boolean;
  /** Every acknowledged commit of every log, after the projections have folded it. */
  readonly onCommit?: (log: string, stored: StoredCommit) => void;
}

/** How a log stands in this gateway, whatever it holds. */
type LogStanding = Pick<FleetReplica, 'role' | 'leader' | 'readOnly' | 'version' | 'logId'> & {
  readonly view: { readonly state: Pick<FleetState, 'epoch'> };
};

/** Removed agents whose words are not taken for those of new ones: words are fresh for seconds. */
const REMOVED_REMEMBERED = 1000;

const SYSTEM = { kind: 'system', id: 'muster' } as const;

type FleetReplica = Replica<FleetState, FleetCommand, FleetFact, FleetProjection>;

/**
 * The gateway without its edges: the fleet's log, one zone's, what is shown of them, and the way of a check-in through
 * them. The HTTP edge, the bus and the simulation all drive this same object.
 */
export class Core {
  readonly fleet: FleetReplica;
  readonly history: UtilizationHistory = new Map();
  readonly zones: ReadonlyMap<string, Zone>;
  readonly #options: CoreOptions;
  readonly #fleetLog: OpenedLog<FleetState, FleetCommand, FleetFact, FleetProjection>;
  readonly #enrolling = new Set<string>();
  readonly #joining = new Set<string>();
  readonly #disabling = new Set<string>();
  /** Agents that were removed, and have not come to the bus since; those of long ago are forgotten. */
  readonly #removed = new Set<string>();
  #started = false;
  #stopServing: () => Promise<void> = async () => {};

  constructor(options: CoreOptions) {
    this.#options = options;
    const { allowedRegistries, onCommit = () => {} } = options;
    this.#fleetLog = openLog<FleetState, FleetCommand, FleetFact, FleetProjection>(options, {
      log: FLEET_LOG,
      machine: fleetMachine(allowedRegistries),
      rules: fleetRules,
      onCommit: (stored) => {
        this.#forgetRemoved(stored);
        if (this.#started) this.#carryOut();
        onCommit(FLEET_LOG, stored);
      },
      onRole: () => {},
    });
    this.fleet = this.#fleetLog.replica;
    const zone = makeZone('default', options, (stored) => onCommit(zoneLog('default'), stored));
    this.zones = new Map([['default', zone]]);
  }

  get gatewayId(): string {
    return this.#options.gatewayId;
  }

  /** Every log in this gateway. */
  get replicas(): readonly { readonly log: LogName; readonly replica: LogStanding }[] {
    const zones = [...this.zones.values()].map(({ projection, replica }) => ({ log: projection.log, replica }));
    return [{ log: FLEET_LOG, replica: this.fleet }, ...zones];
  }

  get fleetProjection(): FleetProjection {
    return this.fleet.view;
  }

  /** Folds the logs and begins to lead or to follow them. Rejects with a LogError while a log cannot be reached. */
  async start(): Promise<void> {
    await Promise.all([this.#fleetLog.start(), ...[...this.zones.values()].map(({ start }) => start())]);
    this.#started = true;
    const { relay, onTrouble } = this.#options;
    this.#stopServing = serveForwarded(relay, (log, asked) => this.#decide(log, asked), onTrouble);
    this.#carryOut();
  }

  async stop(): Promise<void> {
    const served = this.#stopServing();
    await Promise.all([...this.zones.values()].map(({ stop }) => stop()));
    await this.#fleetLog.stop();
    await served;
  }

  /** Rejects when a log has met what must not happen. */
  async done(): Promise<void> {
    await Promise.all([this.fleet.done, ...[...this.zones.values()].map(({ replica }) => replica.done)]);
  }

  /**
   * One check-in, received by the bus at `receivedAt` (ISO). An old one, such as the last word of an agent that is long
   * gone, is shown with its age and decides nothing. A revoked agent is not heard at all.
   */
  receive(checkIn: CheckIn, receivedAt: string): void {
    const { agentId, usage } = checkIn;
    const enrolment = this.fleetProjection.state.agents.get(agentId);
    // An approval that did not come through, because the gateway ended in between, is asked for again.
    const unapproved = enrolment !== undefined && isPending(enrolment) && this.#options.approvesItself(agentId);
    const isOld = this.#isOld(Date.parse(receivedAt));
    const isMissing = enrolment === undefined || unapproved;
    // The last word of an agent that was removed stands among the check-ins for days, and one may be under way.
    const mayEnrol = !isOld && !this.#removed.has(agentId) && this.fleet.role === 'leading';
    if (isMissing && mayEnrol) void this.#enrolHeard(checkIn, receivedAt);
    if (enrolment === undefined || enrolment.revokedAt !== null) return;
    const changed = applyCheckIn(this.fleetProjection, checkIn, receivedAt);
    const zone = enrolment.zone === null ? undefined : this.zones.get(enrolment.zone);
    for (const sessionId of changed) zone?.projection.touched.sessions.add(sessionId);
    const at = measuredAt(checkIn, Date.parse(receivedAt));
    addSample(this.history, agentId, at, usage);
    if (zone?.replica.role === 'leading' && !this.#isOld(at)) zone.desk.receive(checkIn);
  }

  #isOld(atMs: number): boolean {
    return this.#options.clock.now() - atMs > LATE_INTERVALS * this.#options.patience.checkInSeconds * 1000;
  }

  /** To be called once a second. */
  async tick(): Promise<void> {
    this.#carryOut();
    await Promise.all([...this.zones.values()].map(({ tick }) => tick()));
  }

  /** Bus or logs cannot be reached from here: no time passes, and nobody is silent. */
  pause(): void {
    for (const { setAway } of this.zones.values()) setAway(true);
  }

  /** Bus and logs are back: everybody gets a fresh window. */
  freshWindow(): void {
    for (const { setAway } of this.zones.values()) setAway(false);
  }

  /**
   * Has an agent recorded that comes to the bus, or confirmed that it is the one that is known by this fingerprint; one that needs
   * no operator is approved with it. `arrival` tells this coming from every other. Null: it may stay. Throws ControllerUnavailable
   * or LogReadOnly.
   */
  async enrol(agent: Omit<EnrolAgent, 'type' | 'expected'>, arrival: string): Promise<Rejection | null> {
    const { agentId } = agent;
    const key = `enrol:${agentId}:${arrival}`;
    const expected = this.#options.approvesItself(agentId);
    const enrolled = await this.fleet.submit({
      key,
      recorded: false,
      actor: { kind: 'agent', id: agentId },
      command: { type: 'EnrolAgent', ...agent, expected },
    });
    if (enrolled.kind === 'rejected') return enrolled.rejection;
    const enrolment = this.fleetProjection.state.agents.get(agentId);
    if (enrolment === undefined || !isPending(enrolment) || !expected) return null;
    const command = { type: 'ApproveAgent', agentId, zone: 'default', fingerprint: null } as const;
    const approved = await this.fleet.submit({ key: `${key}:approve`, recorded: false, actor: SYSTEM, command });
    return approved.kind === 'rejected' ? approved.rejection : null;
  }

  /** Whoever checks in with a gateway's own leave, as simulations do, is enrolled by that and has no fingerprint. */
  async #enrolHeard(checkIn: CheckIn, receivedAt: string): Promise<void> {
    const { agentId, hostname, simulated, bootId, seq } = checkIn;
    if (this.#enrolling.has(agentId)) return;
    this.#enrolling.add(agentId);
    try {
      const rejected = await this.enrol({ agentId, hostname, simulated, fingerprint: null }, `${bootId}:${seq}`);
      if (rejected === null) applyCheckIn(this.fleetProjection, checkIn, receivedAt);
    } catch (error) {
      this.#options.onTrouble(`agent ${agentId} could not be enrolled; its next check-in tries again`, error);
    } finally {
      this.#enrolling.delete(agentId);
    }
  }

  /**
   * An approval or a revocation stands in the fleet's log; joining and being disabled stand in the zone's. What the one
   * wants and the other lacks is done.
   */
  #carryOut(): void {
    for (const enrolment of this.fleetProjection.state.agents.values()) {
      const target = enrolment.zone === null ? undefined : this.zones.get(enrolment.zone);
      if (target?.replica.role !== 'leading') continue;
      const joined = target.projection.state.agents.get(enrolment.agentId);
      if (enrolment.revokedAt !== null) {
        if (joined?.enabled === true) void this.#disable(target, enrolment.agentId);
      } else if (joined === undefined) void this.#join(target, enrolment);
    }
  }

  /** Nothing new goes to an agent that is not heard any more, whoever enables it. */
  async #disable({ replica }: Zone, agentId: string): Promise<void> {
    if (this.#disabling.has(agentId)) return;
    this.#disabling.add(agentId);
    const command = { type: 'SetAgentSettings', agentId, enabled: false, confirm: false, ifVersion: null } as const;
    try {
      const key = `revoked:${agentId}`;
      await replica.submitHere({ key, recorded: false, actor: SYSTEM, command, reason: 'revoked' });
    } catch (error) {
      this.#options.onTrouble(`the revoked agent ${agentId} could not be disabled yet; trying again`, error);
    } finally {
      this.#disabling.delete(agentId);
    }
  }

  /** The id may begin anew: what was measured before is not its own, and what it said before does not enrol it. */
  #forgetRemoved({ commit }: StoredCommit): void {
    for (const { type, data } of commit.events) {
      if (type === 'AgentEnrolled') this.#removed.delete(data.agentId);
      if (type !== 'AgentRemoved') continue;
      this.history.delete(data.agentId);
      this.#removed.add(data.agentId);
      const [oldest] = this.#removed;
      if (oldest !== undefined && this.#removed.size > REMOVED_REMEMBERED) this.#removed.delete(oldest);
    }
  }

  async #join({ replica }: Zone, { agentId, hostname, simulated, approval }: Enrolment): Promise<void> {
    if (approval === null || this.#joining.has(agentId)) return;
    this.#joining.add(agentId);
    try {
      const command = { type: 'JoinAgent', agentId, hostname, simulated, approval } as const;
      await replica.submitHere({ key: `join:${agentId}`, recorded: false, actor: SYSTEM, command });
    } catch (error) {
      this.#options.onTrouble(`agent ${agentId} could not join yet; trying again`, error);
    } finally {
      this.#joining.delete(agentId);
    }
  }

  /** What another gateway asks. The log's name tells which commands it takes. */
  async #decide(log: LogName, asked: unknown): Promise<Answer> {
    if (log === FLEET_LOG) return await this.fleet.submitHere(fleetSubmission(asked));
    for (const { replica, projection } of this.zones.values()) {
      if (projection.log === log) return await replica.submitHere(zoneSubmission(asked));
    }
    throw new ControllerUnavailable(`this gateway has no log "${log}"`);
  }
}
