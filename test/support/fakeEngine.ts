import type { EngineError } from '../../agent/engine/errors.ts';
import type { EngineFacts } from '../../agent/engine/port.ts';
import { FakeEngine, type EngineCall } from '../../agent/simulated/engine.ts';
import type { Clock } from '../../infra/clock.ts';

export const fakeFacts: EngineFacts = {
  version: '28.5.2',
  apiVersion: '1.51',
  runtimes: ['io.containerd.runc.v2', 'runc'],
  cdiDevices: [],
  dataRoot: '/var/lib/docker',
  storageDriver: 'overlay2',
  cgroupVersion: '2',
  nvidiaHook: false,
};

export interface Fault {
  readonly call: EngineCall;
  readonly moment: 'before' | 'after';
  readonly error: EngineError;
  /** A session, image or log; absent: whatever is asked for. */
  readonly subject?: string;
}

export interface FakeEngineSetup {
  readonly clock: Clock;
  readonly facts?: EngineFacts;
  readonly latencyMs?: (call: EngineCall) => number;
  readonly images?: ReadonlySet<string> | null;
  readonly pullSteps?: number;
}

/** A deterministic engine in memory, with faults that a test plants: each is given once, in the order of planting. */
export function fakeEngine(setup: FakeEngineSetup): {
  readonly engine: FakeEngine;
  readonly plan: (fault: Fault) => void;
} {
  const planned: Fault[] = [];
  const engine = new FakeEngine({
    clock: setup.clock,
    facts: setup.facts ?? fakeFacts,
    latencyMs: setup.latencyMs ?? (() => 5),
    use: (spec) => ({ millicores: Math.round(spec.millicores / 2), memoryBytes: Math.round(spec.memoryBytes / 2) }),
    images: setup.images ?? null,
    pullSteps: setup.pullSteps ?? 1,
    fault(call, moment, subject) {
      const index = planned.findIndex(
        (fault) => fault.call === call && fault.moment === moment && (fault.subject ?? subject) === subject,
      );
      return index < 0 ? null : (planned.splice(index, 1)[0]?.error ?? null);
    },
  });
  return { engine, plan: (fault) => planned.push(fault) };
}
