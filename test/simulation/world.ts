import type { MemoryStore } from '../../infra/log/memory.ts';
import { GIB, aGpu } from '../support/builders.ts';
import { AgentHost } from './agentHost.ts';
import { SimulatedBus } from './bus.ts';
import { Client } from './client.ts';
import { VirtualClock } from './clock.ts';
import { faultyLog, stormy, type Faults } from './faults.ts';
import { GatewayProcess } from './gatewayProcess.ts';
import { eventJudge } from './invariants.ts';
import type { Random } from './random.ts';
import { Witness } from './witness.ts';

/** A deliberate bug, to see that the simulation finds it. */
export const Bug = {
  releaseOnStop: 'release-on-stop',
  ignoreExpected: 'ignore-expected',
  startTwice: 'start-twice',
} as const;
export type Bug = (typeof Bug)[keyof typeof Bug];

/** Everything there is in one run. */
export interface World {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly faults: Faults;
  readonly bus: SimulatedBus;
  readonly hosts: readonly AgentHost[];
  /** The gateways that run: one, and for a while two when one that was replaced still lives. */
  readonly gateways: GatewayProcess[];
  readonly client: Client;
  readonly witness: Witness;
  /** What must never happen and did, in words. */
  readonly mishaps: string[];
  /** A gateway more starts. */
  startGateway(): void;
}

export const LOCAL_IMAGE = 'muster/desktop:1';
const START = Date.UTC(2026, 0, 1);

export function makeWorld(random: Random, agents: number, bug: Bug | null): World {
  const clock = new VirtualClock(START);
  const faults = stormy();
  const store: MemoryStore = new Map();
  const mishaps: string[] = [];
  const gateways: GatewayProcess[] = [];
  const onDeath = (error: unknown) =>
    mishaps.push(`a program died: ${error instanceof Error ? error.stack : String(error)}`);
  const bus = new SimulatedBus({
    clock,
    random: random.fork(),
    faults,
    deliver: (checkIn, receivedAt) => {
      for (const gateway of gateways) gateway.receive(checkIn, receivedAt);
    },
  });
  const ignoresExpected = bug === Bug.ignoreExpected;
  const eventLog = faultyLog({ store, clock, random: random.fork(), faults, ignoresExpected });
  const ids = random.fork();
  const hosts = Array.from({ length: agents }, (_, index) => {
    const host = { agentId: `agent-${index + 1}`, hardware: hardwareOf(index), images: new Set([LOCAL_IMAGE]) };
    return new AgentHost({
      ...host,
      clock,
      random: random.fork(),
      faults,
      bus,
      forgetful: bug === Bug.startTwice,
      onDeath,
    });
  });
  const choices = random.fork();
  const client = new Client({
    clock,
    gateway: () => choices.any(gateways.filter(({ core }) => core !== null)),
    onWrongAnswer: (problem) => mishaps.push(problem),
  });
  return {
    clock,
    random,
    faults,
    bus,
    hosts,
    gateways,
    client,
    witness: new Witness(store, eventJudge),
    mishaps,
    startGateway() {
      const gateway = new GatewayProcess({
        eventLog,
        clock,
        newLogId: () => `log-${ids.int(1, 1e9)}`,
        putDesired: (document) => bus.put(document),
        onTrouble: () => {},
        onReady: () => {
          for (const { checkIn, receivedAt } of bus.newest) gateway.receive(checkIn, receivedAt);
        },
        onDeath,
      });
      gateways.push(gateway);
    },
  };
}

/** Small hosts of three kinds, so that the fleet is short of everything in turn. */
function hardwareOf(index: number) {
  const gpus = Array.from({ length: index % 3 === 0 ? 0 : (index % 3) * 2 }, (_, gpu) =>
    aGpu(gpu, { uuid: `GPU-${index + 1}-${gpu}`, model: gpu % 2 === 0 ? 'NVIDIA A100' : 'NVIDIA L4' }),
  );
  return { millicores: 6000 + (index % 2) * 2000, memoryBytes: (6 + (index % 3) * 2) * GIB, swapBytes: 0, gpus };
}
