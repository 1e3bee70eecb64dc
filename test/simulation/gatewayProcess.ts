import type { CheckIn } from '../../domain/checkIn.ts';
import type { DesiredDocument } from '../../domain/desired.ts';
import type { ZoneCommand } from '../../domain/zone/commands.ts';
import type { Answer, Submission } from '../../gateway/controller/machine.ts';
import type { Patience } from '../../gateway/controller/silence.ts';
import { Core } from '../../gateway/core/core.ts';
import { isoTime, type Clock } from '../../infra/clock.ts';
import type { Feed } from '../../infra/bus/feed.ts';
import type { EventLog, LogName } from '../../infra/log/port.ts';
import { createMemorySnapshots } from '../../infra/snapshots/memory.ts';
import type { ZoneProjection } from '../../projections/zoneProjection.ts';
import type { Listener, SimulatedBus } from './bus.ts';
import { shiftedClock } from './clock.ts';
import type { GatewayNetwork } from './gatewayNetwork.ts';
import { Life } from './life.ts';

const START_AGAIN_MS = 500;
const TICK_MS = 1000;

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
}

/**
 * A gateway's program: the real core, started again and again until the log can be read, told of check-ins, and ticked
 * once a second while bus and store are there. The one place of the simulation that makes a core.
 */
export class GatewayProcess implements Listener {
  readonly life = new Life();
  /** What this gateway's clock is off by, in milliseconds. */
  readonly clockOffset = { ms: 0 };
  readonly #options: GatewayOptions;
  #core: Core | null = null;
  #unlisten = () => {};

  constructor(options: GatewayOptions) {
    this.#options = options;
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

  /** Null when there is no answer because the gateway crashed meanwhile. Rejects with what the real edge answers 503 to. */
  async submit(submission: Submission<ZoneCommand>): Promise<Answer | null> {
    const replica = this.#core?.zones.get('default')?.replica;
    if (replica === undefined || !this.life.alive) return null;
    return await Promise.race([replica.submit(submission), this.life.ended.then(() => null)]);
  }

  crash(): void {
    this.#unlisten();
    this.#options.network.leave(this.#options.gatewayId);
    this.life.end();
  }

  /** As SIGTERM ends it. */
  async shutDown(): Promise<void> {
    this.#unlisten();
    await this.#core?.stop();
    this.crash();
  }

  hear(checkIn: CheckIn, receivedAt: number): void {
    if (this.life.alive) this.#core?.receive(checkIn, isoTime(receivedAt));
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
    const clock = shiftedClock(life.clock(this.#options.clock), clockOffset);
    let core: Core | null = null;
    while (core === null) {
      const next = this.#newCore(clock);
      try {
        await next.start();
        core = next;
      } catch (error) {
        onTrouble('the gateway could not start', error);
        await clock.sleep(START_AGAIN_MS);
      }
    }
    this.#core = core;
    core.done().catch(onDeath);
    if (this.#isCutOff) core.pause();
    this.#unlisten = bus.listen(this);
    for (;;) {
      await clock.sleep(TICK_MS);
      if (!this.#isCutOff) await core.tick();
      this.#forgetTouched(core);
    }
  }

  #newCore(clock: Clock): Core {
    const { life } = this;
    const { gatewayId, eventLog, storeWay, network, feedOf, bus, newLogId, patience, onTrouble } = this.#options;
    const known = new Map<string, DesiredDocument>();
    return new Core({
      gatewayId,
      eventLog: life.log(eventLog),
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
      allowedRegistries: ['docker.io'],
      approvesItself: () => true,
    });
  }

  /** As the live views do once they have told everybody. */
  #forgetTouched(core: Core): void {
    for (const { projection } of core.zones.values()) {
      projection.touched.agents.clear();
      projection.touched.sessions.clear();
    }
  }
}
