import { isZoneEvent, type ZoneEvent } from '../../domain/events.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import { BusError, BusErrorCode } from '../../infra/bus/errors.ts';
import { feedBegins, feedEndsAt, readFeedBack, type FeedBegin } from '../../infra/bus/feedBack.ts';
import { FEED_DAYS } from '../../infra/bus/streams.ts';
import type { Clock } from '../../infra/clock.ts';
import type { LogName } from '../../infra/log/port.ts';
import { capacityBefore, isSameShown, type AgentNow, type CapacityHistory } from '../../projections/capacityHistory.ts';
import { isSettingsChange, MOST_EXTREMES, thinned } from '../../projections/capacitySteps.ts';
import { MOST_POINTS, type Range } from '../../projections/rollupRange.ts';
import type { EventRow } from '../live/eventRows.ts';
import { readKeptCapacity, type KeptCapacity } from './capacityKept.ts';
import { HOUR_MS } from './capacityStore.ts';
import { feedRow } from './feedRow.ts';

/** An agent as it stands at a version of its zone's log. */
export interface KnownAgent {
  readonly agentId: string;
  readonly log: LogName;
  readonly logId: string;
  readonly version: number;
  /** The time of that version, ms since 1970. */
  readonly at: number;
  readonly now: AgentNow;
}

export interface CapacityAnswer extends CapacityHistory {
  /** Newest first. */
  readonly changes: readonly EventRow[];
  /**
   * Null: every change is among the steps. Else so many seconds: of such a span in which very much happened, what it began and
   * ended with, and its lowest and highest.
   */
  readonly thinnedTo: number | null;
}

/** Events are read in such parts, until they reach far enough, but never more than the most. */
const FIRST_PART = 50;
const PART = 500;
const MOST_READ = 5000;
const MOST_CHANGES = 500;
const NEWEST = Number.MAX_SAFE_INTEGER;
const TRIES = 40;
const TRY_MS = 25;

/**
 * Capacity and allocated of an agent through time: what is kept, and for what came after it the agent's own events out of the
 * feed, undone one after the other from what is so now. So an answer costs what lies in its range, however long the log is.
 */
export class CapacityReader {
  readonly #bus: Bus;
  readonly #clock: Clock;

  constructor(bus: Bus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  /**
   * In a range of time, and the changes of settings in it. The feed must have what is known of the agent, else something of
   * it could not be undone. Throws BusError.
   */
  async read(known: KnownAgent, range: Range): Promise<CapacityAnswer> {
    const { since } = range;
    await this.#whenReaches(known);
    const [kept, begin] = await Promise.all([
      readKeptCapacity(this.#bus, known, since, this.#clock.now()),
      feedBegins(this.#bus, known.log),
    ]);
    if (kept !== null && !isFurther(begin, kept, since)) {
      if (kept.version >= known.version) return drawn(answerOf(kept), range);
      const recent = await this.#behind(known, kept, begin);
      if (recent !== null) return drawn(recent, range);
    }
    return drawn(await this.#fromFeed(known, begin, since), range);
  }

  /** What is kept, and what came after it. Null: the feed has not all of that. */
  async #behind(known: KnownAgent, kept: KeptCapacity, begin: FeedBegin | null): Promise<CapacityAnswer | null> {
    for await (const { rows, ends } of this.#back(known)) {
      const later = rows.filter((row) => row.version > kept.version);
      const meets = later.length < rows.length;
      if (!meets && ends === null) continue;
      const hasAll = meets || (ends === 'feed' && (begin?.version ?? known.version + 1) <= kept.upTo + 1);
      return hasAll ? continued(kept, known.now, later) : null;
    }
    return null;
  }

  /** As far as the feed has it. */
  async #fromFeed({ now, ...known }: KnownAgent, begin: FeedBegin | null, since: number): Promise<CapacityAnswer> {
    const begins = begin === null ? this.#clock.now() : Date.parse(begin.occurredAt);
    let found: CapacityAnswer | null = null;
    for await (const { rows, ends } of this.#back(known)) {
      const oldest = Date.parse(rows.at(-1)?.occurredAt ?? '');
      if (ends === null && !(oldest < since)) continue;
      const from = ends === 'feed' || Number.isNaN(oldest) ? begins : oldest;
      const history = capacityBefore(now, rows.filter(isOfZone), from);
      found = { ...history, changes: rows.filter(isSettingsChange), thinnedTo: null };
      if (history.since <= since) break;
    }
    return found ?? { steps: [], since: begins, changes: [], thinnedTo: null };
  }

  /** The agent's events up to what is known of it, newest first: more and more of them, until there are no more or too many. */
  async *#back({ log, agentId, version }: Omit<KnownAgent, 'now'>): AsyncGenerator<RowsBack> {
    const rows: EventRow[] = [];
    let ends: RowsBack['ends'] = null;
    for (let before = NEWEST, read = 0; ends === null;) {
      const limit = read === 0 ? FIRST_PART : PART;
      const { messages, atEnd } = await readFeedBack(this.#bus, log, agentId, { before, limit });
      rows.push(
        ...messages.flatMap(({ message }) => feedRow(log, message) ?? []).filter((row) => row.version <= version),
      );
      before = messages.at(-1)?.sequence ?? before;
      read += messages.length;
      if (atEnd) ends = 'feed';
      else if (read >= MOST_READ) ends = 'limit';
      yield { rows, ends };
    }
  }

  /** A feed is a moment behind its log, and has nothing when nothing has happened for long. */
  async #whenReaches({ log, version, at }: KnownAgent): Promise<void> {
    if (at <= this.#clock.now() - FEED_DAYS * 24 * HOUR_MS) return;
    for (let tries = 0; tries < TRIES; tries += 1) {
      if ((await feedEndsAt(this.#bus, log)) >= version) return;
      await this.#clock.sleep(TRY_MS);
    }
    throw new BusError(BusErrorCode.NoAnswer, `the feed of ${log} is behind`);
  }
}

interface RowsBack {
  readonly rows: readonly EventRow[];
  /** `feed`: it has nothing older of this agent. `limit`: there is too much. Null: there is more. */
  readonly ends: 'feed' | 'limit' | null;
}

const isOfZone = (row: EventRow): row is EventRow & ZoneEvent => isZoneEvent(row);

/** Whether the feed tells of a time before what is kept, as where that was begun with a snapshot. */
function isFurther(begin: FeedBegin | null, kept: KeptCapacity, since: number): boolean {
  if (begin === null || kept.isWhole || kept.since <= since) return false;
  return Date.parse(begin.occurredAt) < kept.since;
}

/** Null: undoing what came after what is kept does not end there, so the one or the other is of another past. */
function continued(kept: KeptCapacity, now: AgentNow, later: readonly EventRow[]): CapacityAnswer | null {
  const last = kept.steps.at(-1);
  if (last === undefined) return null;
  const { steps, since } = capacityBefore(now, later.filter(isOfZone), last.at, kept.held);
  const [first, ...more] = steps;
  if (since !== last.at || first === undefined || !isSameShown(first, last)) return null;
  const before = answerOf(kept);
  const changes = [...later.filter(isSettingsChange), ...before.changes];
  return { ...before, steps: [...before.steps, ...more], changes };
}

function answerOf({ steps, since, changes, isThinned }: KeptCapacity): CapacityAnswer {
  return { steps, since, changes, thinnedTo: isThinned ? HOUR_MS / 1000 : null };
}

/** What of it is in a range; what was so in the beginning is the first step. No more than is answered of what was measured. */
function drawn({ steps, since, changes, thinnedTo }: CapacityAnswer, range: Range): CapacityAnswer {
  const begins = Math.max(since, range.since);
  const first = begins > range.until ? undefined : steps.findLast(({ at }) => at <= begins);
  const later = steps.filter(({ at }) => at > begins && at <= range.until);
  let shown = first === undefined ? later : [{ ...first, at: begins }, ...later];
  let width = thinnedTo;
  for (let spanMs = HOUR_MS; shown.length > MOST_POINTS; spanMs *= 2) {
    shown = [...thinned(shown, spanMs, MOST_EXTREMES)];
    width = spanMs / 1000;
  }
  const isShown = ({ occurredAt }: EventRow): boolean =>
    Date.parse(occurredAt) >= range.since && Date.parse(occurredAt) <= range.until;
  return { steps: shown, since: begins, changes: changes.filter(isShown).slice(0, MOST_CHANGES), thinnedTo: width };
}
