import type { FakeEngine } from '../../agent/simulated/engine.ts';
import { emptyLedger, type Ledger } from '../../agent/ledger.ts';
import type { LedgerStore } from '../../agent/ledgerFile.ts';
import { runAgent } from '../../agent/loop.ts';
import type { AgentBus, AgentLog, AgentPorts, HostObserver } from '../../agent/ports.ts';
import type { CheckIn } from '../../domain/checkIn.ts';
import type { DesiredDocument } from '../../domain/desired.ts';
import type { OutputAnswer, OutputCall } from '../../infra/bus/outputCalls.ts';
import type { PruneAnswer, PruneCall } from '../../infra/bus/pruneCalls.ts';
import { fakeEngine, type Fault } from './fakeEngine.ts';
import { manualClock, type ManualClock } from './manualClock.ts';

export const quietLog: AgentLog = { debug() {}, info() {}, warn() {}, error() {} };

function fakeHost({ diskPercent = () => null }: RigSetup): HostObserver {
  return {
    look() {
      const percent = diskPercent();
      return Promise.resolve({
        hardware: { millicores: 8000, memoryBytes: 32 * 1024 ** 3, swapBytes: 0, gpus: [] },
        usage: {
          cpuMillicores: 100,
          memoryBytes: 1024 ** 3,
          disk: percent === null ? null : { usedBytes: percent, totalBytes: 100 },
          gpus: [],
        },
        gpuMemory: new Map(),
      });
    },
  };
}

/** A ledger on a disk that survives the agent, and can be full. */
class FakeDisk implements LedgerStore {
  ledger: Ledger = emptyLedger;
  full = false;
  load(): Promise<Ledger> {
    return Promise.resolve(this.ledger);
  }
  save(ledger: Ledger): Promise<void> {
    if (this.full) return Promise.reject(new Error('ENOSPC: no space left on device'));
    this.ledger = ledger;
    return Promise.resolve();
  }
}

class FakeBus implements AgentBus {
  readonly heard: CheckIn[] = [];
  readonly answers: OutputAnswer[] = [];
  /** As a gateway calls the agent. */
  call: (call: OutputCall) => void = () => undefined;
  readonly pruneAnswers: PruneAnswer[] = [];
  callForPrune: (call: PruneCall) => void = () => undefined;
  /** References of image definitions; null: no gateway tells. */
  definitions: readonly string[] | null = [];
  connected = true;
  #document: DesiredDocument | null = null;
  readonly #watchers = new Set<(document: DesiredDocument) => void>();

  get last(): CheckIn | undefined {
    return this.heard.at(-1);
  }

  /** Writes the agent's document; those who watch hear of it while the bus is there. */
  put(document: DesiredDocument): void {
    this.#document = document;
    if (this.connected) for (const watcher of this.#watchers) watcher(document);
  }

  publish(checkIn: CheckIn): Promise<boolean> {
    if (this.connected) this.heard.push(checkIn);
    return Promise.resolve(this.connected);
  }

  readDesired(): Promise<DesiredDocument | null> {
    return this.connected ? Promise.resolve(this.#document) : Promise.reject(new Error('the bus is away'));
  }

  watchDesired(onDocument: (document: DesiredDocument) => void, signal: AbortSignal): void {
    this.#watchers.add(onDocument);
    signal.addEventListener('abort', () => this.#watchers.delete(onDocument), { once: true });
  }

  hearOutputCalls(onCall: (call: OutputCall) => void): void {
    this.call = onCall;
  }

  answerWithOutput(_callId: string, answer: OutputAnswer): void {
    this.answers.push(answer);
  }

  askDefinitions(): Promise<readonly string[]> {
    const { definitions } = this;
    return this.connected && definitions !== null
      ? Promise.resolve(definitions)
      : Promise.reject(new Error('no gateway answers'));
  }

  hearPruneCalls(onCall: (call: PruneCall) => void): void {
    this.callForPrune = onCall;
  }

  answerPrune(_callId: string, answer: PruneAnswer): void {
    this.pruneAnswers.push(answer);
  }
}

export interface AgentRig {
  readonly clock: ManualClock;
  readonly bus: FakeBus;
  readonly engine: FakeEngine;
  readonly disk: FakeDisk;
  readonly plan: (fault: Fault) => void;
  /** Starts the agent; the result ends it, as SIGTERM does. */
  start(): () => Promise<void>;
}

export interface RigSetup {
  readonly images?: ReadonlySet<string> | null;
  readonly latencyMs?: (call: string) => number;
  readonly pullSteps?: number;
  readonly pruneGraceMs?: number;
  /** How full the engine's disk is; null: not known. */
  readonly diskPercent?: () => number | null;
}

/** One agent with everything around it in memory, on a clock that the test moves. */
export function agentRig(setup: RigSetup = {}): AgentRig {
  const clock = manualClock(Date.UTC(2026, 0, 1));
  const bus = new FakeBus();
  const disk = new FakeDisk();
  const { engine, plan } = fakeEngine({ clock, ...setup });
  let boots = 0;
  return {
    clock,
    bus,
    engine,
    disk,
    plan,
    start() {
      boots += 1;
      const settings = {
        agentId: 'agent-1',
        bootId: `boot-${boots}`,
        firstSeq: 1,
        hostname: 'host-1',
        agentVersion: '0.0.0',
        simulated: false,
        sessionAddress: '127.0.0.1',
        checkInMs: 10_000,
        diskLimitPercent: 90,
        pruneGraceMs: setup.pruneGraceMs ?? 0,
      };
      const ports: AgentPorts = {
        clock,
        bus,
        engine,
        host: fakeHost(setup),
        ledger: disk,
        log: quietLog,
        random: () => 0.5,
      };
      const stop = new AbortController();
      const run = runAgent(settings, ports, stop.signal);
      return async () => {
        stop.abort();
        await Promise.race([run, clock.advance(20_000)]);
        await run;
      };
    },
  };
}
