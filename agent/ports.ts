import type { CheckIn, Usage } from '../domain/checkIn.ts';
import type { DesiredDocument } from '../domain/desired.ts';
import type { Hardware } from '../domain/schemas.ts';
import type { OutputAnswer, OutputCall } from '../infra/bus/outputCalls.ts';
import type { PruneAnswer, PruneCall } from '../infra/bus/pruneCalls.ts';
import type { Clock } from '../infra/clock.ts';
import type { Engine, EngineFacts } from './engine/port.ts';
import type { LedgerStore } from './ledgerFile.ts';

/** The agent's side of the bus. Nothing here waits for the bus to come back. */
export interface AgentBus {
  /** Sends the latest state, or answers false when the bus is away: it is not kept for later. */
  publish(checkIn: CheckIn): Promise<boolean>;
  /** The agent's whole document; null when there is none; rejects when the bus cannot be asked. */
  readDesired(): Promise<DesiredDocument | null>;
  /** Calls back with every document written from now on, until `signal` aborts. */
  watchDesired(onDocument: (document: DesiredDocument) => void, signal: AbortSignal): void;
  /** Calls back with every call for the output of a session, until `signal` aborts. */
  hearOutputCalls(onCall: (call: OutputCall) => void, signal: AbortSignal): void;
  /** Dropped while the bus is away: whoever asked notices. */
  answerWithOutput(callId: string, answer: OutputAnswer): void;
  /** References of all image definitions; null while the bus was not reached or has not let this agent ask. Rejects when no gateway tells. */
  askDefinitions(): Promise<readonly string[] | null>;
  /** Calls back with every call that is about pruning, until `signal` aborts. */
  hearPruneCalls(onCall: (call: PruneCall) => void, signal: AbortSignal): void;
  /** Dropped while the bus is away: whoever asked notices. */
  answerPrune(callId: string, answer: PruneAnswer): void;
}

/** By container id: what its processes hold of each GPU. */
export type GpuMemory = ReadonlyMap<string, Usage['sessions'][number]['gpus']>;

export interface HostLook {
  readonly hardware: Hardware;
  readonly usage: Omit<Usage, 'sessions'>;
  readonly gpuMemory: GpuMemory;
}

/** What the host has and uses. `look` is quick (well under 100 ms): whatever takes longer is measured beside it. */
export interface HostObserver {
  /** CPU is averaged since the previous call. `facts`: the engine's, as last known; null when never seen. */
  look(facts: EngineFacts | null): Promise<HostLook>;
}

export interface AgentLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface AgentSettings {
  readonly agentId: string;
  /** New at every start of the agent. */
  readonly bootId: string;
  /** Number of the first check-in, 1 unless this boot has already published some. */
  readonly firstSeq: number;
  readonly hostname: string;
  readonly agentVersion: string;
  readonly simulated: boolean;
  /** Address of this host on which sessions publish their ports. */
  readonly sessionAddress: string;
  readonly checkInMs: number;
  /** How long an image is kept after the rule for its removal was first met; 0: not at all. */
  readonly pruneGraceMs: number;
  /** From this share of the engine's disk on, images are pruned before another one is pulled. */
  readonly diskLimitPercent: number;
}

export interface AgentPorts {
  readonly clock: Clock;
  readonly bus: AgentBus;
  readonly engine: Engine;
  readonly host: HostObserver;
  readonly ledger: LedgerStore;
  readonly log: AgentLog;
  /** A number in [0, 1), for jitter. */
  readonly random: () => number;
  /** Told of every check-in that went out. */
  readonly onCheckIn?: (checkIn: CheckIn) => void;
}
