import { setImmediate as turn } from 'node:timers/promises';
import type { Commit } from '../domain/commit.ts';
import type { ZoneFact } from '../domain/events.ts';
import type { ZoneCommand } from '../domain/zone/commands.ts';
import type { ZoneState } from '../domain/zone/state.ts';
import { zoneMachine } from '../gateway/controller/zoneMachine.ts';
import { zoneRules } from '../gateway/core/foldRules.ts';
import { openLog } from '../gateway/core/openLog.ts';
import type { Feed } from '../infra/bus/feed.ts';
import { createMemoryRelay } from '../infra/bus/memoryRelay.ts';
import { realClock } from '../infra/clock.ts';
import { createMemoryLeases } from '../infra/leases/memory.ts';
import type { EventLog } from '../infra/log/port.ts';
import { createMemorySnapshots } from '../infra/snapshots/memory.ts';
import type { SnapshotStore } from '../infra/snapshots/port.ts';
import type { ZoneProjection } from '../projections/zoneProjection.ts';
import { seededRandom } from '../test/simulation/random.ts';
import { FleetLife } from './fleetLife.ts';
import { REFERENCE, REFERENCE_LOG, REFERENCE_LOG_ID } from './referenceLog.ts';

/** The reference zone with its real controller and projection, led in this process. */
export interface LiveZone {
  /**
   * Lets life go on for so many commits, and answers with them. `ahead` batches of `events` events are under way at any
   * time, each submitted in a turn of its own as if it came from a socket: while one is appended the others are decided.
   */
  live(options: {
    readonly events: number;
    readonly ahead: number;
    readonly commits: number;
  }): Promise<readonly Commit[]>;
  /** Asks for sessions until there are as many as in the beginning. */
  refill(): Promise<void>;
  readonly stop: () => Promise<void>;
}

/** What a zone of a gateway has besides; when it is not said, nothing in memory. */
interface Parts {
  /** Each zone that is opened on the same log needs a name of its own, or its commands would be those of the one before. */
  readonly name: string;
  readonly snapshots?: SnapshotStore;
  readonly feed?: Feed;
}

/** Takes everything and keeps nothing: what a controller reaches before its log is told to anybody. */
const silentFeed: Feed = {
  end: async () => ({ sequence: 0, last: null }),
  make: async () => {},
  open: () => ({ inFlight: 0, broken: null, send() {}, close() {} }),
};

export async function openLiveZone(
  eventLog: EventLog,
  { name, snapshots = createMemorySnapshots(), feed = silentFeed }: Parts,
): Promise<LiveZone> {
  let seen: Commit[] = [];
  const ports = {
    gatewayId: 'bench',
    eventLog,
    leases: createMemoryLeases(realClock),
    snapshots,
    feedOf: () => feed,
    takeSnapshot: async () => {},
    relay: createMemoryRelay('bench'),
    clock: realClock,
    newLogId: () => REFERENCE_LOG_ID,
    reachesLogs: () => true,
    remedy: '',
    onTrouble: (sentence: string, cause: unknown) => {
      throw new Error(sentence, { cause });
    },
  };
  const rules = zoneRules('default');
  const { replica, start, stop } = openLog<ZoneState, ZoneCommand, ZoneFact, ZoneProjection>(ports, {
    log: REFERENCE_LOG,
    machine: zoneMachine,
    rules,
    onCommit: ({ commit }) => {
      if (replica.role !== 'leading') return;
      rules.forgetTouched(replica.view);
      seen.push(commit);
      life.saw(commit);
    },
    onRole: () => {},
  });
  await start();
  const { agents, sessions } = REFERENCE;
  const [random, state] = [seededRandom(1), () => replica.view.state];
  const life = new FleetLife({ random, state, logId: REFERENCE_LOG_ID, agents, sessions, name });

  async function lane(events: number, goesOn: () => boolean): Promise<void> {
    while (goesOn()) {
      const { submissions, answered } = life.batch(events);
      const answers = await Promise.all(submissions.map((submission) => replica.submit(submission)));
      for (const answer of answers) if (answer.kind === 'rejected') throw new Error(answer.rejection.message);
      answered();
      await turn();
    }
  }

  return {
    async live({ events, ahead, commits }) {
      seen = [];
      const lanes: Promise<void>[] = [];
      for (let count = 0; count < ahead; count += 1) {
        lanes.push(lane(events, () => seen.length < commits));
        await turn();
      }
      await Promise.all(lanes);
      return seen;
    },
    async refill() {
      await lane(64, () => state().sessions.size < sessions * 0.97);
    },
    stop,
  };
}
