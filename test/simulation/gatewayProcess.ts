import { Core } from '../../gateway/core/core.ts';
import type { CorePorts } from '../../gateway/core/zone.ts';
import type { CheckIn } from '../../domain/checkIn.ts';
import { isoTime } from '../../infra/clock.ts';
import { CHECK_IN_SECONDS } from './agentHost.ts';
import { Life } from './life.ts';

const START_AGAIN_MS = 500;

export interface GatewayOptions extends Omit<CorePorts, 'checkInSeconds'> {
  /** Called when it has folded the logs and begins to work. */
  readonly onReady: () => void;
  readonly onDeath: (error: unknown) => void;
}

/** A gateway's program: the real core, started again and again until the log can be read, and ticked once a second. */
export class GatewayProcess {
  readonly life = new Life();
  readonly #options: GatewayOptions;
  #core: Core | null = null;

  constructor(options: GatewayOptions) {
    this.#options = options;
    void this.#run();
  }

  /** The core once it works; null before, and after a crash. */
  get core(): Core | null {
    return this.life.alive ? this.#core : null;
  }

  crash(): void {
    this.life.end();
  }

  /** As SIGTERM ends it. */
  async shutDown(): Promise<void> {
    await this.#core?.stop();
    this.life.end();
  }

  receive(checkIn: CheckIn, receivedAt: number): void {
    this.core?.receive(checkIn, isoTime(receivedAt));
  }

  async #run(): Promise<void> {
    const { life } = this;
    const { eventLog, putDesired, onDeath, onReady } = this.#options;
    const clock = life.clock(this.#options.clock);
    while (this.#core === null) {
      const core = new Core({
        ...this.#options,
        eventLog: life.log(eventLog),
        clock,
        putDesired: (document) => life.call(() => putDesired(document)),
        checkInSeconds: CHECK_IN_SECONDS,
        allowedRegistries: [],
        approvesItself: () => true,
      });
      try {
        await core.start();
        this.#core = core;
        core.done().catch(onDeath);
      } catch (error) {
        this.#options.onTrouble('the gateway could not start', error);
        await clock.sleep(START_AGAIN_MS);
      }
    }
    onReady();
    for (;;) {
      await clock.sleep(1000);
      await this.#core.tick();
    }
  }
}
