import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { CheckIn } from '../../domain/checkIn.ts';
import type { Commit } from '../../domain/commit.ts';
import type { DesiredDocument } from '../../domain/desired.ts';
import { isFleetEvent, isZoneEvent, type AnyEvent, type ZoneEvent } from '../../domain/events.ts';
import { evolveFleet } from '../../domain/fleet/evolve.ts';
import { initialFleet, type FleetState } from '../../domain/fleet/state.ts';
import { evolveZone } from '../../domain/zone/evolve.ts';
import { initialZone, type ZoneState } from '../../domain/zone/state.ts';
import { ChainWalk } from '../../infra/log/chain.ts';
import type { MemoryStore } from '../../infra/log/memory.ts';
import type { LogName, StoredCommit } from '../../infra/log/port.ts';
import { formatPosition } from '../../domain/commit.ts';
import { desiredDocumentOf } from '../../projections/desired.ts';
import { assertHolds } from './broken.ts';
import { Judge } from './judge.ts';
import { Lives } from './lives.ts';
import { showsSecret } from './secretTexts.ts';
import { bytesOf } from './store.ts';

export const ZONE_LOG = 'zone-default';
export const LOGS = ['fleet', ZONE_LOG];

/** Reads the store itself, past every gateway: what stands there is what happened. */
export class Witness {
  readonly zone: ZoneState = initialZone();
  readonly fleet: FleetState = initialFleet();
  readonly lives = new Lives();
  readonly counts = new Map<string, number>();
  /** The version at which the log carries each command's outcome. */
  readonly commands = new Map<string, number[]>();
  /** An event id that stands twice, and where. */
  doubledEventId: string | null = null;
  /** Every placement, in order. */
  readonly placed: Extract<ZoneEvent, { type: 'SessionPlaced' }>['data'][] = [];
  /** Every image that was removed whole. */
  readonly removed: Extract<ZoneEvent, { type: 'ImageRemoved' }>['data'][] = [];
  readonly #histories = new Map<LogName, StoredCommit[]>(LOGS.map((log) => [log, []]));
  readonly #eventIds = new Set<string>();
  readonly #documents = new Map<string, DesiredDocument | null>();
  readonly #store: MemoryStore;
  readonly #judge: Judge;
  readonly #walks = new Map(LOGS.map((log) => [log, new ChainWalk(log, 0)]));
  readonly #hashes = new Map<string, string>();
  readonly #seen = new Map<string, Uint8Array[]>(LOGS.map((log) => [log, []]));
  /** What the store has acknowledged, by position. */
  readonly #acknowledged = new Map<string, string>();
  #trouble: { readonly cause: unknown } | null = null;

  constructor(store: MemoryStore, sent: ReadonlyMap<string, CheckIn>, past: 'whole' | 'restored' = 'whole') {
    this.#store = store;
    this.#judge = new Judge(sent, past, this.lives);
  }

  /** The zone's version. */
  get version(): number {
    return this.historyOf(ZONE_LOG).length;
  }

  /** A log's commits so far. */
  historyOf(log: LogName): readonly StoredCommit[] {
    return this.#histories.get(log) ?? [];
  }

  /** Sessions that ended with their agent, which may still run them. */
  get givenUp(): ReadonlySet<string> {
    return this.#judge.givenUp;
  }

  /** One hash over everything that was recorded. */
  get logHash(): string {
    return hash('sha256', LOGS.map((log) => this.#hashes.get(log) ?? '').join(), 'hex').slice(0, 16);
  }

  /** Folds what is new, unless something was wrong before. Never throws: `assertSound` does. */
  look(): void {
    if (this.#trouble !== null) return;
    try {
      for (const [log, walk] of this.#walks) {
        for (const bytes of bytesOf(this.#store, log).slice(walk.version)) {
          const stored = walk.accept(bytes);
          this.#hashes.set(log, stored.hash);
          this.#seen.get(log)?.push(bytes);
          assertHolds('no log holds a secret', showsSecret(bytes) ? `${log}:${walk.version}` : null);
          this.#take(log, stored);
        }
      }
    } catch (error) {
      this.#trouble = { cause: error };
    }
  }

  /** Throws a LogError when the logs are not chains, an InvariantBroken when an event is wrong. */
  assertSound(): void {
    if (this.#trouble !== null) throw this.#trouble.cause;
  }

  /** The store says that this was written; null, or what is wrong with that. */
  acknowledged(log: string, version: number, commitHash: string): string | null {
    const position = formatPosition(log, version);
    const before = this.#acknowledged.get(position);
    this.#acknowledged.set(position, commitHash);
    return before === undefined || before === commitHash ? null : `two commits were taken at ${position}`;
  }

  /** Null when the document is what the log says at its version. */
  wrongDocument(document: DesiredDocument): string | null {
    this.look();
    const said = this.#documents.get(documentKey(document.agentId, document.version));
    if (isDeepStrictEqual(said, document)) return null;
    return `${document.agentId} was given version ${document.version}, which is not what the log says`;
  }

  /** The zone's log as it stands, from its beginning. */
  async *commits(): AsyncGenerator<Commit> {
    for (const { commit } of this.historyOf(ZONE_LOG)) yield commit;
  }

  /** Whether everything that was ever seen still stands where it stood. */
  get isKept(): boolean {
    return LOGS.every((log) => {
      const standing = bytesOf(this.#store, log);
      return this.#seen.get(log)?.every((bytes, index) => standing[index] === bytes);
    });
  }

  #take(log: LogName, stored: StoredCommit): void {
    const { commit } = stored;
    this.#histories.get(log)?.push(stored);
    for (const { key } of commit.commands) {
      this.commands.set(key, [...(this.commands.get(key) ?? []), commit.version]);
    }
    for (const event of commit.events) {
      this.#note(event, commit.version);
      if (log !== ZONE_LOG && isFleetEvent(event)) {
        assertHolds('an agent lives one life after another', this.lives.take(event, commit.version));
        evolveFleet(this.fleet, event, { version: commit.version, time: commit.at });
      }
      if (log !== ZONE_LOG || !isZoneEvent(event)) continue;
      if (event.type === 'SessionPlaced') this.placed.push(event.data);
      if (event.type === 'ImageRemoved' && event.data.freedBytes > 0) this.removed.push(event.data);
      this.#judge.before(this.zone, event, commit);
      evolveZone(this.zone, event, { version: commit.version, time: commit.at });
      this.#judge.after(this.zone, event);
    }
    if (log !== ZONE_LOG) return;
    this.#judge.commit(this.zone, commit);
    this.#noteDocuments(commit);
  }

  /** The documents that this commit changed, as the log says them. */
  #noteDocuments({ logId, version, events }: Commit): void {
    for (const { data } of events) {
      if (!('agentId' in data) || data.agentId === null) continue;
      if (this.zone.agents.get(data.agentId)?.desiredVersion !== version) continue;
      this.#documents.set(documentKey(data.agentId, version), desiredDocumentOf(this.zone, data.agentId, logId));
    }
  }

  #note({ id, type, causationId }: AnyEvent, version: number): void {
    this.counts.set(type, (this.counts.get(type) ?? 0) + 1);
    if (this.#eventIds.has(id)) this.doubledEventId ??= `${id}: ${type} at ${version} by ${causationId}`;
    this.#eventIds.add(id);
  }
}

function documentKey(agentId: string, version: number): string {
  return `${agentId}@${version}`;
}
