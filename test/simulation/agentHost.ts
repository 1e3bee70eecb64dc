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
import { linkedBus, type Way } from './agentLink.ts';
import type { SimulatedBus } from './bus.ts';
import { shiftedClock } from './clock.ts';
import type { Faults } from './faults.ts';
import { Life } from './life.ts';
import type { Random } from './random.ts';

/**
 * `forgets`: at every start it has forgotten what it has started. `obeys-nothing`: a missing document is an empty one to it.
 */
export type AgentBug = 'forgets' | 'obeys-nothing';

export interface HostOptions {
  readonly agentId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: Faults;
  readonly bus: SimulatedBus;
  /** How it enters the bus; null: it is in. */
  readonly way: Way | null;
  readonly hardware: Hardware;
  /** Images that are here from the beginning. */
  readonly images: ReadonlySet<string>;
  readonly checkInSeconds: number;
  readonly pruneGraceMs: number;
  /** A deliberate bug of the agent: see bugs.ts. */
  readonly bug: AgentBug | null;
  /** The agent asks its engine to stop or remove a session's container. */
  readonly onEnding: (sessionId: string) => void;
  /** The agent has asked its engine for what it must never ask for. */
  readonly onMishap: (sentence: string) => void;
  readonly onDeath: (error: unknown) => void;
}

const LAST_CALLS_MS = 100;
/** Share of an agent's starts at which its host's clock is set. */
const CLOCK_SET = 0.5;

/** A host: its engine and its disk stay; the agent's program on it comes and goes. */
export class AgentHost {
  readonly engine: FakeEngine;
  readonly #options: HostOptions;
  #hardware: Hardware;
  #ledger: Ledger = emptyLedger;
  #boots = 0;
  readonly #clockOffset = { ms: 0 };
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
      latencyMs: (call) => latencyOf(call, random),
      use: (spec) => ({ millicores: spec.millicores, memoryBytes: spec.memoryBytes }),
      images: options.images,
      onMishap: options.onMishap,
      fault: (call, moment, sessionId) => {
        if (moment === 'before' && (call === 'stop' || call === 'remove')) options.onEnding(sessionId);
        return faultOf(call, moment, faults, random);
      },
    });
  }

  get agentId(): string {
    return this.#options.agentId;
  }

  /** What is on its disk of who it is; null: nobody asks. */
  get credential(): Way['credential'] | null {
    return this.#options.way?.credential ?? null;
  }

  /** The machine is set up anew under its old name: nothing is left on it, and its agent makes another secret. */
  async setUpAnew(secret: string): Promise<void> {
    this.crash();
    // What it had asked its disk and its engine for comes to its end.
    await this.#options.clock.sleep(LAST_CALLS_MS);
    this.crash();
    this.#ledger = emptyLedger;
    for (const { sessionId } of this.engine.containers) this.engine.vanish(sessionId);
    if (this.#options.way !== null) this.#options.way.credential.secret = secret;
    this.boot();
  }

  /** The agent's program starts, unless it runs. */
  boot(): void {
    if (this.#life !== null) return;
    const { clock, random, faults, agentId, checkInSeconds, pruneGraceMs, onDeath } = this.#options;
    const life = new Life();
    this.#life = life;
    this.#boots += 1;
    if (random.chance(CLOCK_SET)) this.#clockOffset.ms = random.int(-faults['host clock'], faults['host clock']);
    this.#stop = new AbortController();
    const connection = this.#connected(life);
    const settings = {
      agentId,
      bootId: `${agentId}-boot-${this.#boots}`,
      firstSeq: 1,
      hostname: agentId,
      agentVersion: '1',
      simulated: false,
      sessionAddress: '127.0.0.1',
      checkInMs: checkInSeconds * 1000,
      pruneGraceMs,
      diskLimitPercent: 90,
    };
    const ports: AgentPorts = {
      clock: shiftedClock(life.clock(clock), this.#clockOffset),
      bus: this.#livingBus(connection, life),
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
    this.#leave();
  }

  /** As SIGTERM ends it: it sees through what it has begun. Resolves when it is over; never when it crashes meanwhile. */
  async shutDown(): Promise<void> {
    const life = this.#life;
    this.#stop.abort();
    await this.#run;
    if (this.#life !== life) return;
    life?.end();
    this.#life = null;
    this.#leave();
  }

  /** The newest version that it has carried out, as its disk says; 0 before the first. */
  get appliedVersion(): number {
    return this.#ledger.applied?.version ?? 0;
  }

  /** The log that it works for, as its disk says; empty before the first. */
  get logId(): string {
    return this.#ledger.document?.logId ?? '';
  }

  /** What it has not heard to be in the log. */
  get untoldPrunes(): number {
    return this.#ledger.prunes.records.length;
  }

  setGpuHealth(index: number, health: GpuDevice['health']): void {
    const healthReason = health === 'ok' ? null : 'it has failed in this world';
    const gpus = this.#hardware.gpus.map((gpu) => (gpu.index === index ? { ...gpu, health, healthReason } : gpu));
    this.#hardware = { ...this.#hardware, gpus };
  }

  get gpuCount(): number {
    return this.#hardware.gpus.length;
  }

  #look() {
    const { millicores, memoryBytes } = this.engine.totalUse();
    const usage = { cpuMillicores: millicores, memoryBytes, disk: null, gpus: [] };
    return { hardware: this.#hardware, usage, gpuMemory: new Map() };
  }

  async #load(): Promise<Ledger> {
    await this.#options.clock.sleep(1);
    return this.#options.bug === 'forgets' ? emptyLedger : this.#ledger;
  }

  async #save(ledger: Ledger): Promise<void> {
    await this.#options.clock.sleep(this.#options.random.int(1, 4));
    this.#ledger = ledger;
  }

  /** The program's connection: where nobody asks who it is, it is always there. */
  #connected(life: Life): AgentBus {
    const { bus, way, agentId, clock, onDeath } = this.#options;
    if (way === null) return bus.agentBus(agentId, () => 'approved');
    return linkedBus({ ...way, bus, agentId, clock: life.clock(clock), isAlive: () => life.alive, onDeath });
  }

  #leave(): void {
    const { way, agentId } = this.#options;
    way?.entrance.drop(({ from }) => from === agentId);
  }

  #livingBus(bus: AgentBus, life: Life): AgentBus {
    const seen = (document: DesiredDocument) => (this.#options.bug === 'forgets' ? startableAgain(document) : document);
    return {
      publish: (checkIn) => life.call(() => bus.publish(checkIn)),
      readDesired: async () => {
        const document = (await life.call(() => bus.readDesired())) ?? this.#insteadOfNothing();
        return document === null ? null : seen(document);
      },
      watchDesired: (onDocument, signal) => {
        const listen = (document: DesiredDocument) => {
          if (life.alive) onDocument(seen(document));
        };
        bus.watchDesired(listen, signal);
      },
      hearOutputCalls: (onCall, signal) => bus.hearOutputCalls(onCall, signal),
      askDefinitions: () => life.call(() => bus.askDefinitions()),
      hearPruneCalls: (onCall, signal) => {
        bus.hearPruneCalls((call) => {
          if (life.alive) onCall(call);
        }, signal);
      },
      answerPrune: (callId, answer) => bus.answerPrune(callId, answer),
      answerWithOutput: (callId, answer) => bus.answerWithOutput(callId, answer),
    };
  }

  #insteadOfNothing(): DesiredDocument | null {
    const last = this.#ledger.document;
    if (this.#options.bug !== 'obeys-nothing' || last === null) return null;
    return { ...last, version: last.version + 1, sessions: [] };
  }
}

function startableAgain(document: DesiredDocument): DesiredDocument {
  return { ...document, sessions: document.sessions.map((session) => ({ ...session, mayCreate: true })) };
}

function livingEngine(engine: Engine, life: Life): Engine {
  return {
    facts: () => life.call(() => engine.facts()),
    list: (logId) => life.call(() => engine.list(logId)),
    unmanaged: () => life.call(() => engine.unmanaged()),
    images: () => life.call(() => engine.images()),
    imageStock: () => life.call(() => engine.imageStock()),
    removeImage: (removal) => life.call(() => engine.removeImage(removal)),
    hasImage: (reference) => life.call(() => engine.hasImage(reference)),
    pull: (reference, options) => life.call(() => engine.pull(reference, options)),
    start: (spec) => life.call(() => engine.start(spec)),
    stop: (sessionId, grace) => life.call(() => engine.stop(sessionId, grace)),
    remove: (sessionId) => life.call(() => engine.remove(sessionId)),
    stats: (sessionIds) => life.call(() => engine.stats(sessionIds)),
    output: (wanted, signal) => life.call(() => engine.output(wanted, signal)),
    changes: (signal) => life.each(engine.changes(signal)),
  };
}

function latencyOf(call: EngineCall, random: Random): number {
  switch (call) {
    case 'pull':
      return random.int(500, 6000);
    case 'stop':
      return random.int(1, 3000);
    // Not drawn, so that worlds without prunes are as they were. Long enough for a crash or a start to fall into it.
    case 'imageStock':
      return 40;
    case 'removeImage':
      return 1500;
    case 'facts':
    case 'list':
    case 'unmanaged':
    case 'images':
    case 'hasImage':
    case 'start':
    case 'remove':
    case 'stats':
    case 'output':
      return random.int(1, 60);
  }
}

/** A start fails before it begins, or its answer is lost after it has worked; a pull fails as a registry fails. */
function faultOf(call: EngineCall, moment: 'before' | 'after', faults: Faults, random: Random): EngineError | null {
  if (call === 'pull' && random.chance(faults['engine failure'])) {
    return new EngineError(EngineErrorCode.imageNotFound, 'no such image');
  }
  if (call !== 'start' || !random.chance(faults['engine failure'])) return null;
  return moment === 'before'
    ? new EngineError(EngineErrorCode.containerStartFailed, 'it did not start')
    : new EngineError(EngineErrorCode.timeout, 'no answer in time');
}
