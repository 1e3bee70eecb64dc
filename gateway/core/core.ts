import type { CheckIn } from '../../domain/checkIn.ts';
import type { FleetFact } from '../../domain/events.ts';
import type { FleetCommand } from '../../domain/fleet/commands.ts';
import type { FleetState } from '../../domain/fleet/state.ts';
import { FLEET_LOG, type StoredCommit } from '../../infra/log/port.ts';
import {
  applyCheckIn,
  applyFleetCommit,
  emptyFleetProjection,
  type FleetProjection,
} from '../../projections/fleetProjection.ts';
import { addSample, type UtilizationHistory } from '../../projections/utilization.ts';
import { LATE_INTERVALS } from '../controller/checkInDesk.ts';
import { Controller } from '../controller/controller.ts';
import { fleetMachine } from '../controller/fleetMachine.ts';
import { makeZone, type CorePorts, type Zone } from './zone.ts';

export interface CoreOptions extends CorePorts {
  readonly allowedRegistries: readonly string[];
  /** Agents that need no operator: the one of an embedded start, and simulated ones. */
  readonly approvesItself: (agentId: string) => boolean;
  /** Every acknowledged commit of every log, after the projections have folded it. */
  readonly onCommit?: (log: string, stored: StoredCommit) => void;
}

/**
 * The gateway without its edges: the fleet's controller, one zone's, their projections, and the way of a check-in through
 * them. The HTTP edge, the bus and the simulation all drive this same object.
 */
export class Core {
  readonly fleet: Controller<FleetState, FleetCommand, FleetFact>;
  readonly fleetProjection: FleetProjection;
  readonly history: UtilizationHistory = new Map();
  readonly zones: ReadonlyMap<string, Zone>;
  readonly #options: CoreOptions;
  readonly #enrolling = new Set<string>();
  readonly #joining = new Set<string>();
  #started = false;

  constructor(options: CoreOptions) {
    this.#options = options;
    const { eventLog, clock, newLogId, onTrouble, allowedRegistries, onCommit = () => {} } = options;
    this.fleetProjection = emptyFleetProjection(FLEET_LOG);
    this.fleet = new Controller({
      log: FLEET_LOG,
      eventLog,
      machine: fleetMachine(allowedRegistries),
      clock,
      newLogId,
      onTrouble,
      onCommit: (stored) => {
        applyFleetCommit(this.fleetProjection, stored.commit);
        if (this.#started) this.#joinApproved();
        onCommit(FLEET_LOG, stored);
      },
    });
    const zone = makeZone('default', options, (stored) => onCommit('zone-default', stored));
    this.zones = new Map([['default', zone]]);
  }

  /** Folds the logs and begins to decide. Rejects with a LogError when a log cannot be read or trusted. */
  async start(): Promise<void> {
    await Promise.all([this.fleet.start(), ...[...this.zones.values()].map((zone) => zone.controller.start())]);
    this.#started = true;
    for (const { writer, projection } of this.zones.values()) {
      for (const agentId of projection.state.agents.keys()) writer.changed(agentId);
    }
    this.#joinApproved();
  }

  async stop(): Promise<void> {
    await this.fleet.stop();
    for (const { controller, writer } of this.zones.values()) {
      await controller.stop();
      await writer.stop();
    }
  }

  /** Rejects when a controller has met a state that it must not go on from. */
  async done(): Promise<void> {
    await Promise.all([this.fleet.done, ...[...this.zones.values()].map(({ controller }) => controller.done)]);
  }

  /**
   * One check-in, received by the bus at `receivedAt` (ISO). An old one, such as the last word of an agent that is long
   * gone, is shown with its age and decides nothing.
   */
  receive(checkIn: CheckIn, receivedAt: string): void {
    const { agentId, usage, simulated } = checkIn;
    const enrolment = this.fleetProjection.state.agents.get(agentId);
    // An approval that did not come through, because the gateway ended in between, is asked for again.
    const unapproved = enrolment?.zone === null && this.#options.approvesItself(agentId);
    if (enrolment === undefined || unapproved) void this.#enrol(checkIn, receivedAt);
    if (enrolment === undefined) return;
    applyCheckIn(this.fleetProjection, checkIn, receivedAt);
    // A simulated agent brings a day that never was; of real ones only the bus's time counts.
    addSample(this.history, agentId, Date.parse(simulated ? checkIn.observedAt : receivedAt), usage);
    const age = this.#options.clock.now() - Date.parse(simulated ? checkIn.observedAt : receivedAt);
    if (age > LATE_INTERVALS * this.#options.checkInSeconds * 1000) return;
    const zone = enrolment.zone === null ? undefined : this.zones.get(enrolment.zone);
    zone?.desk.receive(checkIn);
  }

  /** To be called once a second. */
  async tick(): Promise<void> {
    this.#joinApproved();
    await Promise.all([...this.zones.values()].map(({ desk }) => desk.tick()));
  }

  /** The bus was away: nobody is silent for that. */
  freshWindow(): void {
    for (const { desk } of this.zones.values()) desk.freshWindow();
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
      if (target === undefined || target.projection.state.agents.has(agentId)) continue;
      void this.#join(target, { agentId, hostname, simulated });
    }
  }

  async #join({ controller }: Zone, agent: { agentId: string; hostname: string; simulated: boolean }): Promise<void> {
    if (this.#joining.has(agent.agentId)) return;
    this.#joining.add(agent.agentId);
    const key = `join:${agent.agentId}`;
    try {
      const actor = { kind: 'system', id: 'muster' } as const;
      await controller.submit({ key, recorded: false, actor, command: { type: 'JoinAgent', ...agent } });
    } catch (error) {
      this.#options.onTrouble(`agent ${agent.agentId} could not join yet; trying again`, error);
    } finally {
      this.#joining.delete(agent.agentId);
    }
  }
}
