import { setImmediate as turn } from 'node:timers/promises';
import type { Actor } from '../../domain/events.ts';
import { isoTime, type Clock } from '../../infra/clock.ts';
import { countAgent, countSession, emptyTotals, fleetTotals, type TotalsBook } from '../../projections/fleetTotals.ts';
import type {
  AgentView,
  ChangeView,
  FleetTotals,
  ImageView,
  SessionView,
  ZoneSummary,
} from '../../projections/views.ts';
import type { Core } from '../core/core.ts';
import { agentShown, agentsShown, imagesShown, positionsShown, sessionShown, sessionsShown } from '../core/queries.ts';
import { zonesShown } from '../core/zonesShown.ts';
import { Follower, type Owed } from './follower.ts';
import type { RecentChanges } from './recentChanges.ts';
import type { LiveStream } from './stream.ts';

const PATCH_EVERY_MS = 100;
const HEARTBEAT_EVERY_MS = 15_000;
/** Open streams of all kinds; a further one is refused. */
export const MOST_STREAMS = 200;
/** Of one caller: a page has one or two, and nobody must keep out all the others. */
const MOST_OF_ONE = 50;

/** Rows of a kind in one event: a whole fleet at once would hold up everybody else, here and in the browser. */
const PIECE_ROWS = 250;

interface Rows {
  readonly agents: readonly AgentView[];
  readonly removedAgents: readonly string[];
  readonly sessions: readonly SessionView[];
  readonly images: readonly ImageView[];
  readonly removedImages: readonly string[];
}

/** Who looks at a stream. */
export interface Watcher {
  readonly actor: Actor;
  /** Whether they still may see it. */
  readonly stands: () => boolean;
}

/** Rows that changed; what is told as one piece, the totals and the recent changes, is there when it is another. */
interface Patch extends Partial<Rows> {
  readonly zones?: readonly ZoneSummary[];
  readonly totals?: FleetTotals;
  readonly changes?: readonly ChangeView[];
  /** How many rows of the snapshot are still to come; in the pieces of it. */
  readonly more?: { readonly agents: number; readonly sessions: number };
}

/**
 * The live view of the fleet. Ten times a second it empties what the projections have touched and sends each changed row
 * once to everybody. A snapshot has the first rows, and the others follow as patches, as fast as the client takes them;
 * so does what a client missed that could not keep up.
 */
export class LiveHub {
  readonly #core: Core;
  readonly #clock: Clock;
  readonly #followers = new Set<Follower>();
  readonly #streams = new Map<LiveStream, Watcher>();
  readonly #recent: Pick<RecentChanges, 'all'>;
  readonly #zonesSent = new Map<string, string>();
  /** Kept while somebody follows, and made anew for the first who does. */
  #totals: TotalsBook = emptyTotals();
  #totalsSent = '';
  #changesSent: readonly ChangeView[] | null = null;
  #lastHeartbeat: number;
  readonly #pieceRows: number;

  constructor(core: Core, clock: Clock, recent: Pick<RecentChanges, 'all'>, pieceRows = PIECE_ROWS) {
    this.#pieceRows = pieceRows;
    this.#core = core;
    this.#clock = clock;
    this.#recent = recent;
    this.#lastHeartbeat = clock.now();
  }

  get clients(): number {
    return this.#streams.size;
  }

  hasRoomFor({ kind, id }: Actor): boolean {
    const own = [...this.#streams.values()].filter(({ actor }) => actor.kind === kind && actor.id === id).length;
    return this.#streams.size < MOST_STREAMS && own < MOST_OF_ONE;
  }

  /** Runs until `signal` aborts. The touched rows are emptied also while nobody looks, so that they do not pile up. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(PATCH_EVERY_MS, signal);
      this.tick();
    }
  }

  tick(): void {
    for (const [stream, { stands }] of this.#streams) if (!stands()) stream.end();
    const rows = this.#takeRows();
    if (this.#followers.size > 0) this.#sendPatch(rows);
    for (const follower of this.#followers) void this.#pay(follower);
    if (this.#clock.now() - this.#lastHeartbeat < HEARTBEAT_EVERY_MS) return;
    this.#lastHeartbeat = this.#clock.now();
    for (const stream of this.#streams.keys()) stream.heartbeat();
  }

  /** Counts the stream, keeps it alive, and ends it as soon as its caller no longer stands, or the gateway stops. */
  keep(stream: LiveStream, watcher: Watcher): void {
    this.#streams.set(stream, watcher);
    stream.ended.addEventListener('abort', () => this.#streams.delete(stream), { once: true });
  }

  /** Sends the snapshot, then every patch. */
  follow(stream: LiveStream): void {
    const follower = new Follower(stream);
    this.#sendSnapshot(follower);
    this.#followers.add(follower);
    void this.#pay(follower);
    stream.ended.addEventListener('abort', () => this.#followers.delete(follower), { once: true });
  }

  close(): void {
    for (const stream of this.#streams.keys()) stream.end();
  }

  #sendSnapshot(follower: Follower): void {
    const core = this.#core;
    const agents = agentsShown(core);
    const sessions = sessionsShown(core);
    if (this.#followers.size === 0) this.#countAnew(agents, sessions);
    follower.owe({
      agents: agents.slice(this.#pieceRows).map(({ agentId }) => agentId),
      sessions: sessions.slice(this.#pieceRows).map(({ sessionId }) => sessionId),
      images: [],
      whole: false,
    });
    const snapshot = {
      agents: agents.slice(0, this.#pieceRows),
      sessions: sessions.slice(0, this.#pieceRows),
      more: follower.more,
      images: imagesShown(core),
      zones: zonesShown(core),
      totals: fleetTotals(this.#totals),
      changes: this.#recent.all,
      position: positionsShown(core),
      serverTime: isoTime(this.#clock.now()),
    };
    follower.stream.send('snapshot', JSON.stringify(snapshot), this.#id());
  }

  #countAnew(agents: readonly AgentView[], sessions: readonly SessionView[]): void {
    this.#totals = emptyTotals();
    for (const agent of agents) countAgent(this.#totals, agent.agentId, agent);
    for (const session of sessions) countSession(this.#totals, session.sessionId, session);
    this.#totalsSent = JSON.stringify(fleetTotals(this.#totals));
    this.#changesSent = this.#recent.all;
  }

  #sendPatch(rows: Rows | null): void {
    const patch: Patch = {
      ...rows,
      ...(rows === null ? {} : { zones: this.#changedZones(), ...this.#changedTotals() }),
      ...this.#changedChanges(),
    };
    const filled = Object.entries(patch).filter(([, part]) => !Array.isArray(part) || part.length > 0);
    if (filled.length === 0) return;
    const data = JSON.stringify({ ...Object.fromEntries(filled), serverTime: isoTime(this.#clock.now()) });
    const id = this.#id();
    for (const follower of this.#followers) {
      if (follower.stream.isSlow) follower.owe(idsOf(patch));
      else follower.stream.send('patch', data, id);
    }
  }

  /** Sends what is owed, piece by piece, as fast as the client takes it. */
  async #pay(follower: Follower): Promise<void> {
    const { stream } = follower;
    if (follower.paying) return;
    follower.paying = true;
    try {
      while (follower.isOwed && !stream.ended.aborted) {
        await stream.whenDrained();
        // A patch may have taken the room.
        if (!stream.isSlow) stream.send('patch', JSON.stringify(this.#piece(follower)), this.#id());
        // Everybody else has a turn between two pieces.
        await turn();
      }
    } finally {
      follower.paying = false;
    }
  }

  /** As it is now; what is not there any more is told as removed. */
  #piece(follower: Follower): Patch & { readonly serverTime: string } {
    const { fleetProjection } = this.#core;
    const owed = follower.take(this.#pieceRows);
    const whole = owed.whole && {
      zones: zonesShown(this.#core),
      totals: fleetTotals(this.#totals),
      changes: this.#recent.all,
    };
    return {
      agents: owed.agents.flatMap((agentId) => agentShown(this.#core, agentId) ?? []),
      removedAgents: owed.agents.filter((agentId) => !fleetProjection.state.agents.has(agentId)),
      sessions: owed.sessions.flatMap((sessionId) => sessionShown(this.#core, sessionId) ?? []),
      images: owed.images.flatMap((imageId) => fleetProjection.images.get(imageId) ?? []),
      removedImages: owed.images.filter((imageId) => !fleetProjection.images.has(imageId)),
      ...whole,
      more: follower.more,
      serverTime: isoTime(this.#clock.now()),
    };
  }

  #id(): string {
    return Object.values(positionsShown(this.#core)).join(',');
  }

  /** Those that are not as they were sent last. A zone is its agents and sessions, so nothing else can change one. */
  #changedZones(): readonly ZoneSummary[] {
    return zonesShown(this.#core).filter((zone) => {
      const text = JSON.stringify(zone);
      if (this.#zonesSent.get(zone.zone) === text) return false;
      this.#zonesSent.set(zone.zone, text);
      return true;
    });
  }

  #changedTotals(): Pick<Patch, 'totals'> {
    const totals = fleetTotals(this.#totals);
    const text = JSON.stringify(totals);
    if (text === this.#totalsSent) return {};
    this.#totalsSent = text;
    return { totals };
  }

  #changedChanges(): Pick<Patch, 'changes'> {
    const { all: changes } = this.#recent;
    if (changes === this.#changesSent) return {};
    this.#changesSent = changes;
    return { changes };
  }

  /** Empties the touched rows; null when there are none, or nobody to tell. */
  #takeRows(): Rows | null {
    const { fleetProjection, zones } = this.#core;
    const agentIds = new Set(fleetProjection.touched.agents);
    const sessionIds = new Set<string>();
    const imageIds = [...fleetProjection.touched.images];
    fleetProjection.touched.agents.clear();
    fleetProjection.touched.images.clear();
    for (const { projection } of zones.values()) {
      for (const agentId of projection.touched.agents) agentIds.add(agentId);
      for (const sessionId of projection.touched.sessions) sessionIds.add(sessionId);
      projection.touched.agents.clear();
      projection.touched.sessions.clear();
    }
    if (this.#followers.size === 0) return null;
    const agents: AgentView[] = [];
    const removedAgents: string[] = [];
    for (const agentId of agentIds) {
      const agent = agentShown(this.#core, agentId);
      countAgent(this.#totals, agentId, agent);
      if (agent === null) removedAgents.push(agentId);
      else agents.push(agent);
    }
    const sessions: SessionView[] = [];
    for (const sessionId of sessionIds) {
      const session = sessionShown(this.#core, sessionId);
      countSession(this.#totals, sessionId, session);
      if (session !== null) sessions.push(session);
    }
    const images = imageIds.flatMap((imageId) => fleetProjection.images.get(imageId) ?? []);
    const removedImages = imageIds.filter((imageId) => !fleetProjection.images.has(imageId));
    const rows = { agents, removedAgents, sessions, images, removedImages };
    return Object.values(rows).some(({ length }) => length > 0) ? rows : null;
  }
}

/** What a patch tells, by id. */
function idsOf({ agents = [], removedAgents = [], sessions = [], images = [], removedImages = [] }: Patch): Owed {
  return {
    agents: [...agents.map(({ agentId }) => agentId), ...removedAgents],
    sessions: sessions.map(({ sessionId }) => sessionId),
    images: [...images.map(({ imageId }) => imageId), ...removedImages],
    whole: true,
  };
}
