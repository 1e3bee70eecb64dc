import { EngineError, EngineErrorCode } from '../../agent/engine/errors.ts';
import type { Engine } from '../../agent/engine/port.ts';
import { emptyLedger, type Ledger } from '../../agent/ledger.ts';
import { runAgent } from '../../agent/loop.ts';
import type { AgentBus, AgentPorts } from '../../agent/ports.ts';
import { FakeEngine, type EngineCall } from '../../agent/simulated/engine.ts';
import type { DesiredDocument } from '../../domain/desired.ts';
import type { GpuDevice, Hardware } from '../../domain/schemas.ts';
import type { Clock } from '../../infra/clock.ts';
import { quietLog } from '../support/agentRig.ts';
import { fakeFacts } from '../support/fakeEngine.ts';
import type { SimulatedBus } from './bus.ts';
import type { Faults } from './faults.ts';
import { Life } from './life.ts';
import type { Random } from './random.ts';

export const CHECK_IN_SECONDS = 10;

export interface HostOptions {
  readonly agentId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: Faults;
  readonly bus: SimulatedBus;
  readonly hardware: Hardware;
  /** Images that are here from the beginning. */
  readonly images: ReadonlySet<string>;
  /** A deliberate bug: the agent forgets at every start what it has started. */
  readonly forgetful: boolean;
  readonly onDeath: (error: unknown) => void;
}

/** A host: its engine and its disk stay; the agent's program on it comes and goes. */
export class AgentHost {
  readonly engine: FakeEngine;
  readonly #options: HostOptions;
  #hardware: Hardware;
  #ledger: Ledger = emptyLedger;
  #boots = 0;
  #life: Life | null = null;
  #stop = new AbortController();
  #run: Promise<unknown> = Promise.resolve();

  constructor(options: HostOptions) {
    const { clock, random, faults } = options;
    this.#options = options;
    this.#hardware = options.hardware;
    this.engine = new FakeEngine({
      clock,
      facts: { ...fakeFacts, nvidiaHook: true },
      latencyMs: (call) => (call === 'pull' ? random.int(500, 6000) : random.int(1, call === 'stop' ? 3000 : 60)),
      use: (spec) => ({ millicores: spec.millicores, memoryBytes: spec.memoryBytes }),
      images: options.images,
      fault: (call, moment) => faultOf(call, moment, faults, random),
    });
  }

  get agentId(): string {
    return this.#options.agentId;
  }

  /** The agent's program starts, unless it runs. */
  boot(): void {
    if (this.#life !== null) return;
    const { clock, random, bus, agentId, onDeath } = this.#options;
    const life = new Life();
    this.#life = life;
    this.#boots += 1;
    this.#stop = new AbortController();
    const settings = {
      agentId,
      bootId: `${agentId}-boot-${this.#boots}`,
      firstSeq: 1,
      hostname: agentId,
      agentVersion: '1',
      simulated: false,
      sessionAddress: '127.0.0.1',
      checkInMs: CHECK_IN_SECONDS * 1000,
    };
    const ports: AgentPorts = {
      clock: life.clock(clock),
      bus: this.#livingBus(bus.agentBus(agentId), life),
      engine: livingEngine(this.engine, life),
      host: { look: () => life.call(async () => this.#look()) },
      ledger: { load: () => life.call(() => this.#load()), save: (ledger) => life.call(() => this.#save(ledger)) },
      log: quietLog,
      random: () => random.next(),
    };
    this.#run = runAgent(settings, ports, this.#stop.signal).catch(onDeath);
  }

  /** The program is gone from one moment to the next. */
  crash(): void {
    this.#life?.end();
    this.#life = null;
  }

  /** As SIGTERM ends it: it sees through what it has begun. Resolves when it is over; never when it crashes meanwhile. */
  async shutDown(): Promise<void> {
    const life = this.#life;
    this.#stop.abort();
    await this.#run;
    if (this.#life === life) this.#life = null;
  }

  setGpuHealth(index: number, health: GpuDevice['health']): void {
    const gpus = this.#hardware.gpus.map((gpu) => (gpu.index === index ? { ...gpu, health } : gpu));
    this.#hardware = { ...this.#hardware, gpus };
  }

  get gpuCount(): number {
    return this.#hardware.gpus.length;
  }

  #look() {
    const { millicores, memoryBytes } = this.engine.totalUse();
    return { hardware: this.#hardware, usage: { cpuMillicores: millicores, memoryBytes, disk: null, gpus: [] } };
  }

  async #load(): Promise<Ledger> {
    await this.#options.clock.sleep(1);
    return this.#options.forgetful ? emptyLedger : this.#ledger;
  }

  async #save(ledger: Ledger): Promise<void> {
    await this.#options.clock.sleep(this.#options.random.int(1, 4));
    this.#ledger = ledger;
  }

  #livingBus(bus: AgentBus, life: Life): AgentBus {
    const { forgetful } = this.#options;
    const lied = (document: DesiredDocument): DesiredDocument => ({
      ...document,
      sessions: document.sessions.map((session) => ({ ...session, mayCreate: true })),
    });
    const seen = (document: DesiredDocument) => (forgetful ? lied(document) : document);
    return {
      publish: (checkIn) => life.call(() => bus.publish(checkIn)),
      readDesired: async () => {
        const document = await life.call(() => bus.readDesired());
        return document === null ? null : seen(document);
      },
      watchDesired: (onDocument, signal) => {
        const listen = (document: DesiredDocument) => {
          if (life.alive) onDocument(seen(document));
        };
        bus.watchDesired(listen, signal);
      },
    };
  }
}

function livingEngine(engine: Engine, life: Life): Engine {
  return {
    facts: () => life.call(() => engine.facts()),
    list: (logId) => life.call(() => engine.list(logId)),
    unmanaged: () => life.call(() => engine.unmanaged()),
    hasImage: (reference) => life.call(() => engine.hasImage(reference)),
    pull: (reference, options) => life.call(() => engine.pull(reference, options)),
    start: (spec) => life.call(() => engine.start(spec)),
    stop: (sessionId, grace) => life.call(() => engine.stop(sessionId, grace)),
    remove: (sessionId) => life.call(() => engine.remove(sessionId)),
    stats: (sessionIds) => life.call(() => engine.stats(sessionIds)),
    changes: (signal) => life.each(engine.changes(signal)),
  };
}

/** A start fails before it begins, or its answer is lost after it has worked; a pull fails as a registry fails. */
function faultOf(call: EngineCall, moment: 'before' | 'after', faults: Faults, random: Random): EngineError | null {
  if (call === 'pull' && random.chance(faults.failedPull)) {
    return new EngineError(EngineErrorCode.imageNotFound, 'no such image');
  }
  if (call !== 'start' || !random.chance(faults.failedStart)) return null;
  return moment === 'before'
    ? new EngineError(EngineErrorCode.containerStartFailed, 'it did not start')
    : new EngineError(EngineErrorCode.timeout, 'no answer in time');
}
