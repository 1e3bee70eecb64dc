import type { ZoneState } from '../../domain/zone/state.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import { isoTime, type Clock } from '../../infra/clock.ts';
import { isHistoryOffline } from '../../infra/log/errors.ts';
import { zoneLog, type EventLog } from '../../infra/log/port.ts';
import type { SnapshotStore } from '../../infra/snapshots/port.ts';
import type { ZoneProjection } from '../../projections/zoneProjection.ts';
import { LogFold, type Folded, type FoldRules } from '../controller/logFold.ts';
import { zoneRules } from '../core/foldRules.ts';
import { restoreNewest, whyNotOnLog } from '../snapshots/snapshot.ts';
import { CapacityCollector } from './capacityCollector.ts';
import {
  standingCapacityMark,
  storeCapacity,
  writeCapacityMark,
  type CapacityBuild,
  type CapacityMark,
} from './capacityStore.ts';

export interface CapacityPorts {
  readonly zone: string;
  /** Account APP. */
  readonly bus: Bus;
  readonly eventLog: EventLog;
  readonly snapshots: SnapshotStore;
  readonly clock: Clock;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

/** So many steps are held before they are written. */
const MOST_HELD = 20_000;
const AGENTS_AT_ONCE = 16;

/**
 * Writes the steps of a zone's agents up to the head of its log, from where the mark says that they end. Reads the log by
 * itself, from a snapshot at or before the mark, so that it can run beside a gateway. Where nothing is marked, or the log is
 * not the one of which it speaks, all of it is built anew. Resolves with the version; null: the log is empty, or somebody
 * else builds anew. Rejects with LogError and BusError; what was written by then is written.
 */
export async function writeCapacity(ports: CapacityPorts): Promise<number | null> {
  const { zone, bus, eventLog, clock } = ports;
  const log = zoneLog(zone);
  const standing = await standingCapacityMark(bus, log);
  const isOfLog = standing !== null && (await whyNotOnLog(eventLog, { ...standing, log })) === null;
  const { mark, from } = await startingPoint(ports, isOfLog ? standing : null);
  const number = mark?.build ?? (standing?.build ?? 0) + 1;
  const since = Date.parse(from?.head?.at ?? isoTime(0));
  const collector = new CapacityCollector(log);
  const fold = new LogFold({ log, eventLog, rules: collecting(zoneRules(zone), collector), from });

  /** Tells whether this build still counts. */
  async function write(): Promise<boolean> {
    if (fold.head === null) return false;
    const { hash, commit } = fold.head;
    await storeAll(bus, clock, { log, logId: commit.logId, build: number, since }, collector);
    return await writeCapacityMark(bus, log, { ...commit, build: number, hash, writtenAt: clock.now() });
  }

  for await (const stored of eventLog.read(log, fold.version)) {
    fold.take(stored);
    if (mark !== null && fold.version <= mark.version) collector.take();
    if (collector.size >= MOST_HELD && !(await write())) return null;
  }
  return (await write()) ? fold.version : null;
}

interface StartingPoint {
  /** Null: all is built anew. */
  readonly mark: CapacityMark | null;
  /** Null: from the beginning of the log. */
  readonly from: Folded<ZoneProjection> | null;
}

/** Without the log's beginning a snapshot has to do, and what was before is not known any more. */
async function startingPoint(ports: CapacityPorts, mark: CapacityMark | null): Promise<StartingPoint> {
  const { zone, eventLog, snapshots } = ports;
  const wanted = { ...ports, log: zoneLog(zone), store: snapshots, rules: zoneRules(zone) };
  const from = mark === null ? null : await restoreNewest({ ...wanted, upTo: mark.version });
  if (from !== null) return { mark, from };
  try {
    for await (const _ of eventLog.read(wanted.log, 0)) break;
    return { mark, from };
  } catch (error) {
    if (!isHistoryOffline(error)) throw error;
    return { mark: null, from: await restoreNewest(wanted) };
  }
}

function collecting(
  rules: FoldRules<ZoneState, ZoneProjection>,
  collector: CapacityCollector,
): FoldRules<ZoneState, ZoneProjection> {
  return {
    ...rules,
    apply(view, commit) {
      collector.fold(commit, view.state, () => rules.apply(view, commit));
      rules.forgetTouched(view);
    },
  };
}

async function storeAll(bus: Bus, clock: Clock, build: CapacityBuild, collector: CapacityCollector): Promise<void> {
  const agents = [...collector.take()];
  for (let first = 0; first < agents.length; first += AGENTS_AT_ONCE) {
    const startedAt = clock.now();
    const batch = agents.slice(first, first + AGENTS_AT_ONCE);
    await Promise.all(batch.map(([agentId, collected]) => storeCapacity(bus, clock, build, agentId, collected)));
    // Others work on the same bus.
    await clock.sleep(clock.now() - startedAt);
  }
}
