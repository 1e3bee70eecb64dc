import type { Bus } from '../../infra/bus/connect.ts';
import { feedBegins, readFeedBack, type FeedBegin } from '../../infra/bus/feedBack.ts';
import type { FeedMessage } from '../../infra/bus/feedRead.ts';
import { FLEET_LOG, type LogName } from '../../infra/log/port.ts';
import type { EventRow } from '../live/eventRows.ts';
import { feedRow } from './feedRow.ts';

/** Where the next page begins: before these sequences of the zone's and of the fleet's feed. */
export interface AgentEventsCursor {
  readonly zone: number;
  readonly fleet: number;
}

export interface AgentEventsPage {
  /** Newest first. */
  readonly events: readonly EventRow[];
  /** Null: nothing older is kept. */
  readonly next: AgentEventsCursor | null;
  /** ISO 8601: what happened before is in the log, and not found by agent. Null: nothing is missing. */
  readonly since: string | null;
}

const NEWEST: AgentEventsCursor = { zone: Number.MAX_SAFE_INTEGER, fleet: Number.MAX_SAFE_INTEGER };

/**
 * What happened to one agent, in its zone and to its enrolment, out of the feeds: there every agent has subjects of its own,
 * so nothing has to be kept or read for it that grows with the log.
 */
export class AgentEvents {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** A page, newest first. `zoneLog` is null while the agent is in no zone. Throws BusError. */
  async page(
    agentId: string,
    zoneLog: LogName | null,
    { before, limit }: { readonly before: AgentEventsCursor | null; readonly limit: number },
  ): Promise<AgentEventsPage> {
    const cursor = before ?? NEWEST;
    const [ofZone, ofFleet, ...begins] = await Promise.all([
      zoneLog === null ? NOTHING : readFeedBack(this.#bus, zoneLog, agentId, { before: cursor.zone, limit }),
      readFeedBack(this.#bus, FLEET_LOG, agentId, { before: cursor.fleet, limit }),
      feedBegins(this.#bus, FLEET_LOG),
      zoneLog === null ? null : feedBegins(this.#bus, zoneLog),
    ]);
    const zone = ofZone.messages.map(placed(zoneLog ?? FLEET_LOG));
    const fleet = ofFleet.messages.map(placed(FLEET_LOG));
    const taken = merged(zone, fleet).slice(0, limit);
    const all = ofZone.atEnd && ofFleet.atEnd && taken.length === zone.length + fleet.length;
    const lastOf = (log: LogName) => taken.findLast((each) => each.log === log)?.sequence;
    const next = {
      zone: (zoneLog === null ? undefined : lastOf(zoneLog)) ?? cursor.zone,
      fleet: lastOf(FLEET_LOG) ?? cursor.fleet,
    };
    return { events: taken.flatMap(({ row }) => row ?? []), next: all ? null : next, since: latest(begins) };
  }
}

/** From when on every feed has all of its log. */
function latest(begins: readonly (FeedBegin | null)[]): string | null {
  const cut = begins.flatMap((begin) => (begin === null || begin.isFirst ? [] : begin.occurredAt));
  return cut.toSorted().at(-1) ?? null;
}

interface Placed {
  readonly sequence: number;
  readonly log: LogName;
  readonly occurredAt: string;
  /** Null: a later version wrote it, whose gateways show it. */
  readonly row: EventRow | null;
}

const NOTHING = { messages: [], atEnd: true } as const;

function placed(log: LogName): (from: FeedMessage) => Placed {
  return ({ sequence, message }) => ({
    sequence,
    log,
    occurredAt: message.event.occurredAt,
    row: feedRow(log, message),
  });
}

/** By time, and in each log by its own order, whatever its times say. */
function merged(zone: readonly Placed[], fleet: readonly Placed[]): readonly Placed[] {
  const all: Placed[] = [];
  let [z, f] = [0, 0];
  for (;;) {
    const [a, b] = [zone[z], fleet[f]];
    if (a === undefined || b === undefined) return [...all, ...zone.slice(z), ...fleet.slice(f)];
    if (a.occurredAt >= b.occurredAt) {
      all.push(a);
      z += 1;
    } else {
      all.push(b);
      f += 1;
    }
  }
}
