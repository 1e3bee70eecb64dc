import type { CheckIn } from '../../domain/checkIn.ts';
import type { DesiredDocument } from '../../domain/desired.ts';
import type { FleetCommand } from '../../domain/fleet/commands.ts';
import type { ZoneCommand } from '../../domain/zone/commands.ts';
import type { Refusal, Shown } from '../../gateway/callout/admission.ts';
import type { Entry } from '../../gateway/callout/entry.ts';
import type { Answer, Submission } from '../../gateway/controller/machine.ts';
import type { Patience } from '../../gateway/controller/silence.ts';
import { Core } from '../../gateway/core/core.ts';
import { isoTime, type Clock } from '../../infra/clock.ts';
import type { Feed } from '../../infra/bus/feed.ts';
import type { EventLog, LogName } from '../../infra/log/port.ts';
import { createMemorySnapshots } from '../../infra/snapshots/memory.ts';
import type { SecretStore } from '../../infra/secrets/port.ts';
import type { FleetProjection } from '../../projections/fleetProjection.ts';
import type { ZoneProjection } from '../../projections/zoneProjection.ts';
import type { Admitted } from './admissions.ts';
import { hearing, type Bug } from './bugs.ts';
import type { Listener, SimulatedBus } from './bus.ts';
import { shiftedClock } from './clock.ts';
import { GatewayDoor } from './door.ts';
import type { Entrance, Porter } from './entrance.ts';
import type { GatewayNetwork } from './gatewayNetwork.ts';
import { Knowing } from './knowing.ts';
import { Life } from './life.ts';

/** From which images may come, to every gateway. */
export const REGISTRIES = ['docker.io'];
const START_AGAIN_MS = 500;
const TICK_MS = 1000;
const REVOKED: Answer = { kind: 'rejected', rejection: { code: 'AGENT_REVOKED', message: 'it was revoked' } };

/** A gateway's own way to the store of the logs. */
export interface StoreWay {
  isAway: boolean;
}

export interface GatewayOptions {
  readonly gatewayId: string;
  readonly storeWay: StoreWay;
  readonly eventLog: EventLog;
  readonly network: GatewayNetwork;
  readonly feedOf: (log: LogName) => Feed;
  readonly bus: SimulatedBus;
  readonly clock: Clock;
  readonly newLogId: () => string;
  readonly patience: Patience;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
  readonly onDeath: (error: unknown) => void;
  /** Null: whoever checks in is in, and needs nobody's approval. */
  readonly door: DoorWay | null;
  /** A deliberate bug of the gateway: see bugs.ts. */
  readonly bug: Bug | null;
}

/** What a gateway that says who may enter has for that. */
export interface DoorWay {
  readonly entrance: Entrance;
  readonly secrets: SecretStore;
  readonly newArrival: () => string;
  readonly onAdmitted: (admitted: Admitted) => void;
  /** It has not acted on what it knew. */
  readonly onWrong: (problem: string) => void;
}

/**
 * A gateway's program: the real core, started again and again until the log can be read, told of check-ins, and ticked
 * once a second while bus and store are there. The one place of the simulation that makes a core.
 */
export class GatewayProcess implements Listener, Porter {
  readonly life = new Life();
  /** What this gateway's clock is off by, in milliseconds. */
  readonly clockOffset = { ms: 0 };
  readonly #options: GatewayOptions;
  /** The process that runs, or tries to start. */
  #attempt: Life | null = null;
  #core: Core | null = null;
  #door: GatewayDoor | null = null;
  readonly #knowing: Knowing | null;
  readonly #stopping = new AbortController();
  #unlisten = () => {};

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { door, clock } = options;
    this.#knowing = door === null ? null : new Knowing(clock, door.onWrong);
    void this.#run();
  }

  /** Whether it has folded the logs and works. */
  get isReady(): boolean {
    return this.life.alive && this.#core !== null;
  }

  /** What it shows of the zone: acknowledged state, whatever its controller speculates on. Null before it works. */
  get shown(): ZoneProjection | null {
    return this.isReady ? (this.#core?.zones.get('default')?.projection ?? null) : null;
  }

  /** The same of the fleet. */
  get fleetShown(): FleetProjection | null {
    return this.isReady ? (this.#core?.fleetProjection ?? null) : null;
  }

  /** Whether it can be asked who may enter. */
  get isAtDoor(): boolean {
    return this.isReady && this.#door !== null && !this.#options.bus.isAway;
  }

  async admit(shown: Shown): Promise<Entry | Refusal | null> {
    const known = this.#core?.fleet.version ?? 0;
    const outcome = await Promise.race([this.#door?.admit(shown) ?? null, this.life.ended.then(() => null)]);
    if (outcome !== null && typeof outcome !== 'string')
      this.#options.door?.onAdmitted({ shown, entry: outcome, known });
    return outcome;
  }

  /** Null when there is no answer because the gateway crashed meanwhile. Rejects with what the real edge answers 503 to. */
  async submit(submission: Submission<ZoneCommand>): Promise<Answer | null> {
    const replica = this.#core?.zones.get('default')?.replica;
    if (replica === undefined || !this.life.alive) return null;
    if (this.#refuses(submission.command)) return REVOKED;
    return await Promise.race([replica.submit(submission), this.life.ended.then(() => null)]);
  }

  /** As the route that approves: the gateway joins an approved agent by itself, and this does the same once more. */
  async join(agentId: string): Promise<void> {
    const replica = this.#core?.zones.get('default')?.replica;
    const enrolment = this.fleetShown?.state.agents.get(agentId);
    if (replica === undefined || enrolment === undefined || enrolment.approval === null) return;
    const { hostname, simulated, approval } = enrolment;
    const command = { type: 'JoinAgent', agentId, hostname, simulated, approval } as const;
    const actor = { kind: 'system', id: 'muster' } as const;
    try {
      await replica.submit({ key: `join:${agentId}`, recorded: false, actor, command });
    } catch (error) {
      this.#options.onTrouble(`${agentId} could not be joined with its approval`, error);
    }
  }

  /** The same for the fleet's log. */
  async submitToFleet(submission: Submission<FleetCommand>): Promise<Answer | null> {
    const fleet = this.#core?.fleet;
    if (fleet === undefined || !this.life.alive) return null;
    return await Promise.race([fleet.submit(submission), this.life.ended.then(() => null)]);
  }

  crash(): void {
    this.#unlisten();
    this.#stopping.abort();
    this.#options.network.leave(this.#options.gatewayId);
    this.#attempt?.end();
    this.life.end();
  }

  /** As SIGTERM ends it. */
  async shutDown(): Promise<void> {
    this.#unlisten();
    this.#stopping.abort();
    await this.#core?.stop();
    this.crash();
  }

  hear(checkIn: CheckIn, receivedAt: number): void {
    const core = this.#core;
    if (core === null || !this.life.alive) return;
    this.#knowing?.hear(core, checkIn);
    hearing(this.#options.bug, core, checkIn.agentId, () => core.receive(checkIn, isoTime(receivedAt)));
    this.#door?.heard(checkIn.agentId);
  }

  busChanged(): void {
    this.#listenOrNot();
  }

  setStoreAway(away: boolean): void {
    const { storeWay } = this.#options;
    if (storeWay.isAway === away) return;
    storeWay.isAway = away;
    this.#listenOrNot();
  }

  /** As the routes: what this gateway knows to be revoked nobody enables through it. */
  #refuses(command: ZoneCommand): boolean {
    if (command.type !== 'SetAgentSettings' || command.enabled !== true) return false;
    const agent = this.#core?.fleetProjection.state.agents.get(command.agentId);
    return agent !== undefined && agent.revokedAt !== null;
  }

  get #isCutOff(): boolean {
    const { bus, storeWay } = this.#options;
    return bus.isAway || storeWay.isAway;
  }

  #listenOrNot(): void {
    if (!this.life.alive) return;
    if (this.#isCutOff) this.#core?.pause();
    else this.#core?.freshWindow();
  }

  async #run(): Promise<void> {
    const { life, clockOffset } = this;
    const { bus, onDeath, onTrouble } = this.#options;
    const outside = life.clock(this.#options.clock);
    let core: Core | null = null;
    let clock = outside;
    while (core === null) {
      const attempt = new Life();
      this.#attempt = attempt;
      clock = shiftedClock(attempt.clock(outside), clockOffset);
      const next = this.#newCore(attempt, clock);
      try {
        await next.start();
        core = next;
      } catch (error) {
        // The process ends with all that it has begun, and another one is started.
        attempt.end();
        onTrouble('the gateway could not start', error);
        await outside.sleep(START_AGAIN_MS);
      }
    }
    this.#core = core;
    core.done().catch(onDeath);
    this.#openDoor(core, clock);
    if (this.#isCutOff) core.pause();
    this.#unlisten = bus.listen(this);
    for (;;) {
      await clock.sleep(TICK_MS);
      if (!this.#isCutOff) await core.tick();
      if (!this.#isCutOff) this.#knowing?.ticked(core);
      this.#forgetTouched(core);
    }
  }

  #newCore(life: Life, clock: Clock): Core {
    const { gatewayId, eventLog, storeWay, network, feedOf, bus, newLogId, patience, onTrouble } = this.#options;
    const known = new Map<string, DesiredDocument>();
    return new Core({
      gatewayId,
      eventLog: life.log(this.#knowing?.watched(eventLog) ?? eventLog),
      leases: life.leases(network.leases()),
      relay: life.relay(network.relay(gatewayId)),
      feedOf: (log) => life.feed(feedOf(log)),
      // Compression runs beside this loop, in real time: what a snapshot does to a fold is tried in refold.ts instead.
      snapshots: createMemorySnapshots(),
      takeSnapshot: async () => null,
      clock,
      newLogId,
      reachesLogs: () => !storeWay.isAway,
      remedy: 'Wait for the calm',
      putDesired: (document, look) => life.call(() => bus.put(document, look, known)),
      patience,
      onTrouble,
      allowedRegistries: REGISTRIES,
      approvesItself: () => this.#options.door === null,
      onCommit: (_log, { commit }) => this.#door?.note(commit.events),
    });
  }

  #openDoor(core: Core, clock: Clock): void {
    const { door, onTrouble, onDeath, bug } = this.#options;
    if (door === null) return;
    this.#door = new GatewayDoor({ core, ...door, clock, onTrouble, bug });
    this.#door.run(this.#stopping.signal).catch(onDeath);
  }

  /** As the live views do once they have told everybody. */
  #forgetTouched(core: Core): void {
    for (const { projection } of core.zones.values()) {
      projection.touched.agents.clear();
      projection.touched.sessions.clear();
    }
  }
}
