import type { CheckIn } from '../../domain/checkIn.ts';
import type { FleetFact } from '../../domain/events.ts';
import type { FleetCommand } from '../../domain/fleet/commands.ts';
import type { FleetState } from '../../domain/fleet/state.ts';
import type { ZoneCommand } from '../../domain/zone/commands.ts';
import { FLEET_LOG, zoneLog, type LogName, type StoredCommit } from '../../infra/log/port.ts';
import { applyCheckIn, type FleetProjection } from '../../projections/fleetProjection.ts';
import { addSample, measuredAt, type UtilizationHistory } from '../../projections/utilization.ts';
import { fleetMachine } from '../controller/fleetMachine.ts';
import { ControllerUnavailable, type Answer, type Submission } from '../controller/machine.ts';
import type { Replica } from '../controller/replica.ts';
import { LATE_INTERVALS } from '../controller/silence.ts';
import { fleetRules } from './foldRules.ts';
import { serveForwarded } from './forward.ts';
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
  #started = false;
  #stopServing: () => void = () => {};

  constructor(options: CoreOptions) {
    this.#options = options;
    const { allowedRegistries, onCommit = () => {} } = options;
    this.#fleetLog = openLog<FleetState, FleetCommand, FleetFact, FleetProjection>(options, {
      log: FLEET_LOG,
      machine: fleetMachine(allowedRegistries),
      rules: fleetRules,
      onCommit: (stored) => {
        if (this.#started) this.#joinApproved();
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
    this.#stopServing = serveForwarded(this.#options.relay, (log, submission) => this.#decide(log, submission));
    this.#joinApproved();
  }

  async stop(): Promise<void> {
    this.#stopServing();
    await Promise.all([...this.zones.values()].map(({ stop }) => stop()));
    await this.#fleetLog.stop();
  }

  /** Rejects when a log has met what must not happen. */
  async done(): Promise<void> {
    await Promise.all([this.fleet.done, ...[...this.zones.values()].map(({ replica }) => replica.done)]);
  }

  /**
   * One check-in, received by the bus at `receivedAt` (ISO). An old one, such as the last word of an agent that is long
   * gone, is shown with its age and decides nothing.
   */
  receive(checkIn: CheckIn, receivedAt: string): void {
    const { agentId, usage } = checkIn;
    const enrolment = this.fleetProjection.state.agents.get(agentId);
    // An approval that did not come through, because the gateway ended in between, is asked for again.
    const unapproved = enrolment?.zone === null && this.#options.approvesItself(agentId);
    const leads = this.fleet.role === 'leading';
    if (leads && (enrolment === undefined || unapproved)) void this.#enrol(checkIn, receivedAt);
    if (enrolment === undefined) return;
    const changed = applyCheckIn(this.fleetProjection, checkIn, receivedAt);
    const zone = enrolment.zone === null ? undefined : this.zones.get(enrolment.zone);
    for (const sessionId of changed) zone?.projection.touched.sessions.add(sessionId);
    const at = measuredAt(checkIn, Date.parse(receivedAt));
    addSample(this.history, agentId, at, usage);
    const age = this.#options.clock.now() - at;
    if (age > LATE_INTERVALS * this.#options.patience.checkInSeconds * 1000) return;
    if (zone?.replica.role === 'leading') zone.desk.receive(checkIn);
  }

  /** To be called once a second. */
  async tick(): Promise<void> {
    this.#joinApproved();
    await Promise.all([...this.zones.values()].map(({ tick }) => tick()));
  }

  /** The bus is away: no time passes, and nobody is silent. */
  pause(): void {
    for (const { desk } of this.zones.values()) desk.pause();
  }

  /** The bus is back: everybody gets a fresh window. */
  freshWindow(): void {
    for (const { desk, replica } of this.zones.values()) if (replica.role === 'leading') desk.freshWindow();
  }

  /** The first word of an unknown agent puts it among the pending ones. */
  async #enrol(checkIn: CheckIn, receivedAt: string): Promise<void> {
    const { agentId, hostname, simulated, bootId, seq } = checkIn;
    if (this.#enrolling.has(agentId)) return;
    this.#enrolling.add(agentId);
    const key = `enrol:${agentId}:${bootId}:${seq}`;
    try {
      const actor = { kind: 'agent', id: agentId } as const;
      const command = { type: 'EnrolAgent', agentId, hostname, simulated } as const;
      await this.fleet.submit({ key, recorded: false, actor, command });
      applyCheckIn(this.fleetProjection, checkIn, receivedAt);
      if (this.#options.approvesItself(agentId)) {
        const approve = { type: 'ApproveAgent', agentId, zone: 'default' } as const;
        const system = { kind: 'system', id: 'muster' } as const;
        await this.fleet.submit({ key: `${key}:approve`, recorded: false, actor: system, command: approve });
      }
    } catch (error) {
      this.#options.onTrouble(`agent ${agentId} could not be enrolled; its next check-in tries again`, error);
    } finally {
      this.#enrolling.delete(agentId);
    }
  }

  /** An approval stands in the fleet's log; joining stands in the zone's. What the one wants and the other lacks is done. */
  #joinApproved(): void {
    for (const { agentId, hostname, simulated, zone } of this.fleetProjection.state.agents.values()) {
      const target = zone === null ? undefined : this.zones.get(zone);
      if (target?.replica.role !== 'leading' || target.projection.state.agents.has(agentId)) continue;
      void this.#join(target, { agentId, hostname, simulated });
    }
  }

  async #join({ replica }: Zone, agent: { agentId: string; hostname: string; simulated: boolean }): Promise<void> {
    if (this.#joining.has(agent.agentId)) return;
    this.#joining.add(agent.agentId);
    const key = `join:${agent.agentId}`;
    try {
      const actor = { kind: 'system', id: 'muster' } as const;
      await replica.submitHere({ key, recorded: false, actor, command: { type: 'JoinAgent', ...agent } });
    } catch (error) {
      this.#options.onTrouble(`agent ${agent.agentId} could not join yet; trying again`, error);
    } finally {
      this.#joining.delete(agent.agentId);
    }
  }

  /** What another gateway asks. The log's name tells which commands it takes; the sender checked the rest at its edge. */
  async #decide(log: LogName, submission: Submission<unknown>): Promise<Answer> {
    if (log === FLEET_LOG) return await this.fleet.submitHere(submission as Submission<FleetCommand>);
    for (const { replica, projection } of this.zones.values()) {
      if (projection.log === log) return await replica.submitHere(submission as Submission<ZoneCommand>);
    }
    throw new ControllerUnavailable(`this gateway has no log "${log}"`);
  }
}
