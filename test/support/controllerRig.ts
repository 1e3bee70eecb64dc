import { setImmediate as turn } from 'node:timers/promises';
import type { ZoneFact } from '../../domain/events.ts';
import type { Commit } from '../../domain/commit.ts';
import type { ZoneCommand } from '../../domain/zone/commands.ts';
import type { ZoneState } from '../../domain/zone/state.ts';
import type { Submission } from '../../gateway/controller/machine.ts';
import { zoneMachine } from '../../gateway/controller/zoneMachine.ts';
import { zoneRules } from '../../gateway/core/foldRules.ts';
import { openLog } from '../../gateway/core/openLog.ts';
import { createMemoryFeed } from '../../infra/bus/memoryFeed.ts';
import { createMemoryRelay } from '../../infra/bus/memoryRelay.ts';
import { createMemoryLeases } from '../../infra/leases/memory.ts';
import type { LeaseStore } from '../../infra/leases/port.ts';
import { decodeCommit } from '../../infra/log/codec.ts';
import { LogError, LogErrorCode } from '../../infra/log/errors.ts';
import { createMemoryLog, type MemoryStore } from '../../infra/log/memory.ts';
import type { EventLog } from '../../infra/log/port.ts';
import { createMemorySnapshots } from '../../infra/snapshots/memory.ts';
import type { SnapshotStore } from '../../infra/snapshots/port.ts';
import type { ZoneProjection } from '../../projections/zoneProjection.ts';
import { aRequest } from './builders.ts';
import { manualClock, type ManualClock } from './manualClock.ts';

export const ZONE_LOG = 'zone-default';

/** What becomes of one append; those that are not planned are ordinary. */
export type Fate = 'written, answer lost' | 'lost' | 'unavailable' | 'never possible' | 'held';

/** A store with a log in front of it that does what is planned. */
export function plannedLog(store: MemoryStore = new Map()) {
  const inner = createMemoryLog(store);
  const plan: Fate[] = [];
  const held = Promise.withResolvers<void>();
  let appends = 0;
  /** Reads break off after so many commits, once. */
  let breaksAfter = Infinity;
  const eventLog: EventLog = {
    ...inner,
    async append(log, expected, commit) {
      appends += 1;
      const fate = plan.shift();
      if (fate === 'unavailable') throw new LogError(LogErrorCode.LogUnavailable, 'away');
      if (fate === 'never possible') throw new LogError(LogErrorCode.InvalidCommit, 'not like this');
      if (fate === 'lost') throw new LogError(LogErrorCode.OutcomeUnknown, 'no answer');
      if (fate === 'held') await held.promise;
      const result = await inner.append(log, expected, commit);
      if (fate === 'written, answer lost') throw new LogError(LogErrorCode.OutcomeUnknown, 'no answer');
      return result;
    },
    async *read(log, after) {
      let left = breaksAfter;
      for await (const stored of inner.read(log, after)) {
        if (left <= 0) {
          breaksAfter = Infinity;
          throw new LogError(LogErrorCode.LogUnavailable, 'it went away');
        }
        left -= 1;
        yield stored;
      }
    },
  };
  return {
    eventLog,
    store,
    plan: (...fates: readonly Fate[]) => plan.push(...fates),
    letGo: () => held.resolve(),
    breakReadAfter: (commits: number) => {
      breaksAfter = commits;
    },
    get appends() {
      return appends;
    },
    get commits(): readonly Commit[] {
      return (store.get(ZONE_LOG) ?? []).map((bytes) => decodeCommit(bytes).commit);
    },
  };
}

export type PlannedLog = ReturnType<typeof plannedLog>;

/** A zone's log in one gateway that leads it, on a manual clock. Two of them on one log do not know of each other. */
export async function controllerRig(
  log: PlannedLog = plannedLog(),
  leases: (clock: ManualClock) => LeaseStore = (clock) => createMemoryLeases(clock),
  snapshots: SnapshotStore = createMemorySnapshots(),
  onCommit: (version: number) => void = () => {},
) {
  const clock = manualClock(Date.UTC(2026, 0, 1));
  const shown: number[] = [];
  const troubles: string[] = [];
  const ports = {
    gatewayId: 'gateway-1',
    eventLog: log.eventLog,
    leases: leases(clock),
    feedOf: (name: string) => createMemoryFeed(name),
    snapshots,
    takeSnapshot: async () => {},
    relay: createMemoryRelay('gateway-1'),
    clock,
    newLogId: () => 'log-1',
    reachesLogs: () => true,
    remedy: 'See that the log runs',
    onTrouble: (sentence: string) => troubles.push(sentence),
  };
  const { replica, start } = openLog<ZoneState, ZoneCommand, ZoneFact, ZoneProjection>(ports, {
    log: ZONE_LOG,
    machine: zoneMachine,
    rules: zoneRules('default'),
    onCommit: ({ commit }) => {
      shown.push(commit.version);
      onCommit(commit.version);
    },
    onRole: () => {},
  });
  await start();
  return { controller: replica, clock, log, shown, troubles };
}

export function submission(key: string, command: ZoneCommand, recorded = true): Submission<ZoneCommand> {
  return { key, recorded, actor: { kind: 'operator', id: 'op-1' }, command };
}

/** A request for a session of its own; without an agent in the zone it waits. */
export function asks(key: string): Submission<ZoneCommand> {
  return submission(key, aRequest({ sessionId: `s-${key}` }));
}

/** Lets everything that is due happen. */
export async function settleDown(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await turn();
}
