import { isoTime, type Clock } from '../../infra/clock.ts';
import type { AgentView, ImageView, SessionView, ZoneSummary } from '../../projections/views.ts';
import type { Core } from '../core/core.ts';
import { agentShown, agentsShown, imagesShown, positionsShown, sessionShown, sessionsShown } from '../core/queries.ts';
import { zonesShown } from '../core/zonesShown.ts';
import type { LiveStream } from './stream.ts';

const PATCH_EVERY_MS = 250;
const HEARTBEAT_EVERY_MS = 15_000;
/** Open streams of all kinds; a further one is refused. */
export const MOST_STREAMS = 200;

interface Follower {
  readonly stream: LiveStream;
  /** Missed a patch because it was slow; a fresh snapshot takes it on. */
  behind: boolean;
}

interface Changes {
  readonly agents: readonly AgentView[];
  readonly sessions: readonly SessionView[];
  readonly images: readonly ImageView[];
  readonly removedImages: readonly string[];
  readonly zones: readonly ZoneSummary[];
}

/**
 * The live view of the fleet. Four times a second it empties what the projections have touched and sends each changed row
 * once to everybody; a client that cannot keep up gets no more patches, and a fresh snapshot when it can.
 */
export class LiveHub {
  readonly #core: Core;
  readonly #clock: Clock;
  readonly #followers = new Set<Follower>();
  readonly #streams = new Set<LiveStream>();
  readonly #zonesSent = new Map<string, string>();
  #lastHeartbeat: number;

  constructor(core: Core, clock: Clock) {
    this.#core = core;
    this.#clock = clock;
    this.#lastHeartbeat = clock.now();
  }

  get clients(): number {
    return this.#streams.size;
  }

  get isFull(): boolean {
    return this.#streams.size >= MOST_STREAMS;
  }

  /** Runs until `signal` aborts. The touched rows are emptied also while nobody looks, so that they do not pile up. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(PATCH_EVERY_MS, signal);
      this.tick();
    }
  }

  tick(): void {
    const changes = this.#takeChanges();
    if (this.#followers.size > 0 && changes !== null) this.#sendPatch(changes);
    for (const follower of this.#followers)
      if (follower.behind && !follower.stream.isSlow) this.#sendSnapshot(follower);
    if (this.#clock.now() - this.#lastHeartbeat < HEARTBEAT_EVERY_MS) return;
    this.#lastHeartbeat = this.#clock.now();
    for (const stream of this.#streams) stream.heartbeat();
  }

  /** Counts the stream, keeps it alive, and ends it when its caller's sign-in expires (ms) or the gateway stops. */
  keep(stream: LiveStream, expiresAt: number | null): void {
    this.#streams.add(stream);
    stream.ended.addEventListener('abort', () => this.#streams.delete(stream), { once: true });
    if (expiresAt === null) return;
    void this.#clock.sleep(expiresAt - this.#clock.now(), stream.ended).then(() => stream.end());
  }

  /** Sends the snapshot, then every patch. */
  follow(stream: LiveStream): void {
    const follower = { stream, behind: false };
    this.#sendSnapshot(follower);
    this.#followers.add(follower);
    stream.ended.addEventListener('abort', () => this.#followers.delete(follower), { once: true });
  }

  close(): void {
    for (const stream of this.#streams) stream.end();
  }

  #sendSnapshot(follower: Follower): void {
    follower.behind = false;
    const core = this.#core;
    const snapshot = {
      agents: agentsShown(core),
      sessions: sessionsShown(core),
      images: imagesShown(core),
      zones: zonesShown(core),
      position: positionsShown(core),
      serverTime: isoTime(this.#clock.now()),
    };
    follower.stream.send('snapshot', JSON.stringify(snapshot), this.#id());
  }

  #sendPatch(changes: Changes): void {
    const filled = Object.entries(changes).filter(([, rows]) => rows.length > 0);
    const data = JSON.stringify({ ...Object.fromEntries(filled), serverTime: isoTime(this.#clock.now()) });
    const id = this.#id();
    for (const follower of this.#followers) {
      if (follower.stream.isSlow || follower.behind) follower.behind = true;
      else follower.stream.send('patch', data, id);
    }
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

  /** Empties the touched rows; null when there are none, or nobody to tell. */
  #takeChanges(): Changes | null {
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
    const agents = [...agentIds].flatMap((agentId) => agentShown(this.#core, agentId) ?? []);
    const sessions = [...sessionIds].flatMap((sessionId) => sessionShown(this.#core, sessionId) ?? []);
    const images = imageIds.flatMap((imageId) => fleetProjection.images.get(imageId) ?? []);
    const removedImages = imageIds.filter((imageId) => !fleetProjection.images.has(imageId));
    const changed = agents.length + sessions.length + images.length + removedImages.length > 0;
    return changed ? { agents, sessions, images, removedImages, zones: this.#changedZones() } : null;
  }
}
