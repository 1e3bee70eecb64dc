import { hash } from 'node:crypto';
import { isZoneEvent, type AnyEvent, type ZoneEvent } from '../../domain/events.ts';
import type { Commit } from '../../domain/commit.ts';
import { evolveZone } from '../../domain/zone/evolve.ts';
import { initialZone, type ZoneState } from '../../domain/zone/state.ts';
import { ChainWalk } from '../../infra/log/chain.ts';
import { decodeCommit } from '../../infra/log/codec.ts';
import type { MemoryStore } from '../../infra/log/memory.ts';

export const ZONE_LOG = 'zone-default';
export const LOGS = ['fleet', ZONE_LOG];

/** Called around every event of the zone, so that each can be judged on the state that it was decided on. */
export interface Judge {
  before(zone: ZoneState, event: ZoneEvent): void;
  after(zone: ZoneState, event: ZoneEvent): void;
}

/** Reads the store itself, past every gateway: what stands there is what happened. */
export class Witness {
  readonly zone: ZoneState = initialZone();
  readonly counts = new Map<string, number>();
  /** The version at which the log carries each command's outcome. */
  readonly commands = new Map<string, number[]>();
  /** Where each event id stands, in words: once. */
  readonly eventIds = new Map<string, string[]>();
  /** Every placement, in order. */
  readonly placed: Extract<ZoneEvent, { type: 'SessionPlaced' }>['data'][] = [];
  readonly #store: MemoryStore;
  readonly #judge: Judge;
  readonly #walks = new Map(LOGS.map((log) => [log, new ChainWalk(log, 0)]));
  readonly #hashes = new Map<string, string>();
  readonly #seen = new Map<string, Uint8Array[]>(LOGS.map((log) => [log, []]));

  constructor(store: MemoryStore, judge: Judge) {
    this.#store = store;
    this.#judge = judge;
  }

  get version(): number {
    return this.#walks.get(ZONE_LOG)?.version ?? 0;
  }

  /** One hash over everything that was recorded. */
  get logHash(): string {
    return hash('sha256', LOGS.map((log) => this.#hashes.get(log) ?? '').join(), 'hex').slice(0, 16);
  }

  /** Folds what is new. Throws a LogError when the logs are not chains, an InvariantBroken when an event is wrong. */
  look(): void {
    for (const [log, walk] of this.#walks) {
      for (const bytes of (this.#store.get(log) ?? []).slice(walk.version)) {
        const { commit, hash: commitHash } = walk.accept(bytes);
        this.#hashes.set(log, commitHash);
        this.#seen.get(log)?.push(bytes);
        this.#take(commit);
      }
    }
  }

  /** The zone's log as it stands, from its beginning. */
  async *commits(): AsyncGenerator<Commit> {
    for (const bytes of this.#store.get(ZONE_LOG) ?? []) yield decodeCommit(bytes).commit;
  }

  /** Whether everything that was ever seen still stands where it stood. */
  get isKept(): boolean {
    return LOGS.every((log) => this.#seen.get(log)?.every((bytes, index) => this.#store.get(log)?.[index] === bytes));
  }

  #take(commit: Commit): void {
    for (const { key } of commit.commands) {
      this.commands.set(key, [...(this.commands.get(key) ?? []), commit.version]);
    }
    for (const event of commit.events) {
      this.#note(event, commit.version);
      if (!isZoneEvent(event)) continue;
      if (event.type === 'SessionPlaced') this.placed.push(event.data);
      this.#judge.before(this.zone, event);
      evolveZone(this.zone, event, { version: commit.version, time: commit.at });
      this.#judge.after(this.zone, event);
    }
  }

  #note({ id, type, causationId }: AnyEvent, version: number): void {
    this.counts.set(type, (this.counts.get(type) ?? 0) + 1);
    this.eventIds.set(id, [...(this.eventIds.get(id) ?? []), `${type} at ${version} by ${causationId}`]);
  }
}
