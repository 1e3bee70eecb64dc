import type { AnyFact } from '../../domain/events.ts';
import type { Feed } from '../../infra/bus/feed.ts';
import type { Relay } from '../../infra/bus/relay.ts';
import type { Clock } from '../../infra/clock.ts';
import type { LeaseStore } from '../../infra/leases/port.ts';
import type { EventLog, LogName, StoredCommit } from '../../infra/log/port.ts';
import type { SnapshotStore } from '../../infra/snapshots/port.ts';
import { FeedWriter } from '../controller/feedWriter.ts';
import { Lease } from '../controller/lease.ts';
import { LogFold, type FoldRules, type Projection } from '../controller/logFold.ts';
import type { Machine } from '../controller/machine.ts';
import { Replica, type Role } from '../controller/replica.ts';
import { restoreNewest } from '../snapshots/snapshot.ts';
import { forwardTo } from './forward.ts';

/** What a log in a gateway needs of the world; the simulation gives it a virtual one. */
export interface LogPorts {
  readonly gatewayId: string;
  readonly eventLog: EventLog;
  readonly leases: LeaseStore;
  readonly snapshots: SnapshotStore;
  /** Has a snapshot of the log written beside this loop. */
  readonly takeSnapshot: (log: LogName) => Promise<unknown>;
  readonly relay: Relay;
  /** The feed of a log, for whoever leads the log to write. */
  readonly feedOf: (log: LogName) => Feed;
  readonly clock: Clock;
  readonly newLogId: () => string;
  /** Whether the logs can be reached from here, as far as is known: they may be kept elsewhere than the leases. */
  readonly reachesLogs: () => boolean;
  /** What an operator looks after when a log does not answer for long, as a sentence. */
  readonly remedy: string;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

export interface OpenedLog<State, Command, Fact extends AnyFact, View extends Projection<State>> {
  readonly replica: Replica<State, Command, Fact, View>;
  /** From the newest snapshot that fits, and the log behind it. Rejects with a LogError while the log cannot be reached. */
  readonly start: () => Promise<void>;
  /** Ends after the commit in flight and hands the log over. */
  readonly stop: () => Promise<void>;
}

/** A snapshot is due behind so many events: what a restart then has to read is folded in well under a second. */
export const SNAPSHOT_EVENTS = 10_000;
/** Two snapshots of a log are at least this far apart, in ms, however busy it is. */
const SNAPSHOT_PAUSE_MS = 60_000;

/** One log in this gateway, put together: its fold, its lease, its replica, and its snapshots. */
export function openLog<State, Command, Fact extends AnyFact, View extends Projection<State>>(
  ports: LogPorts,
  options: {
    readonly log: LogName;
    readonly machine: Machine<State, Command, Fact>;
    readonly rules: FoldRules<State, View>;
    /** Every commit that was folded, in order; those read at the start included. */
    readonly onCommit: (stored: StoredCommit) => void;
    readonly onRole: (role: Role) => void;
    /** Told when the log has not taken for long what was decided here, and when it takes it again. */
    readonly onStall?: (stalled: boolean) => void;
  },
): OpenedLog<State, Command, Fact, View> {
  const { log, machine, rules, onStall } = options;
  const { onTrouble, clock } = ports;
  let feed: FeedWriter | null = null;
  let feedEnded: Promise<unknown> = Promise.resolve();
  const writeFeed = (leading: boolean): void => {
    const before = feed;
    feed = leading ? new FeedWriter({ ...ports, log, feed: ports.feedOf(log) }) : null;
    if (before !== null) feedEnded = Promise.all([feedEnded, before.stop()]);
  };
  const snapshots = snapshotsDue(() => ports.takeSnapshot(log), ports, log);
  const fold: LogFold<State, View> = new LogFold({
    ...ports,
    log,
    rules,
    onCommit: (stored) => {
      if (replica.role === 'starting') rules.forgetTouched(fold.view);
      snapshots.count(stored, replica.role === 'leading');
      feed?.commit(stored);
      options.onCommit(stored);
      replica.folded();
    },
  });
  const replica: Replica<State, Command, Fact, View> = new Replica({
    ...ports,
    log,
    machine,
    fold,
    lease: new Lease({
      ...ports,
      log,
      store: ports.leases,
      isGone: (gatewayId) => ports.relay.isGone(gatewayId),
      logId: () => fold.head?.commit.logId ?? null,
    }),
    forward: (gatewayId, submission) => forwardTo(ports.relay, gatewayId, log, submission),
    onRole: (role) => {
      writeFeed(role === 'leading');
      options.onRole(role);
    },
    ...(onStall === undefined ? {} : { onStall }),
  });
  return {
    replica,
    async start() {
      const from = await restoreNewest({
        log,
        eventLog: ports.eventLog,
        store: ports.snapshots,
        rules,
        clock,
        onTrouble,
      });
      if (from !== null) fold.restore(from);
      await replica.start();
    },
    async stop() {
      await replica.stop();
      await feedEnded;
    },
  };
}

/** Counts what a restart would have to read, and has a snapshot written when it is enough, or when an epoch has ended. */
function snapshotsDue(
  take: () => Promise<unknown>,
  { clock, onTrouble }: Pick<LogPorts, 'clock' | 'onTrouble'>,
  log: LogName,
) {
  let behind = 0;
  let underWay = false;
  let lastAt = -Infinity;
  const run = async (): Promise<void> => {
    underWay = true;
    behind = 0;
    try {
      await take();
    } catch (error) {
      onTrouble(`no snapshot of ${log} could be written; the next one will be`, error);
    }
    lastAt = clock.now();
    underWay = false;
  };
  return {
    count({ commit }: StoredCommit, leading: boolean): void {
      behind += commit.events.length;
      if (!leading || underWay) return;
      const sealed = commit.events.some(({ type }) => type === 'LogSealed');
      const due = behind >= SNAPSHOT_EVENTS && clock.now() - lastAt >= SNAPSHOT_PAUSE_MS;
      if (sealed || due) void run();
    },
  };
}
