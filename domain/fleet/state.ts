import type { ImageDefinition } from '../images/image.ts';
import type { AccessKey } from '../keys/state.ts';
import { firstEpoch, type LogEpoch } from '../logs/seal.ts';
import type { ManagerToken } from '../managerTokens/state.ts';
import type { Person } from '../people/state.ts';

/** What is fleet-wide: images, zones, who may join, and who may ask. Owned and mutated by the fold that made it, like a zone's state. */
export interface FleetState {
  readonly zones: Set<string>;
  readonly images: Map<string, ImageDefinition>;
  /** The last revision of every image id ever defined, so that a retired id starts again above it. */
  readonly revisions: Map<string, number>;
  readonly agents: Map<string, Enrolment>;
  readonly people: Map<string, Person>;
  /** How many people were ever created: the serial of the newest. */
  peopleEver: number;
  /** Live ones, and expired ones that are not in the way yet. */
  readonly keys: Map<string, AccessKey>;
  /** Live ones. */
  readonly managerTokens: Map<string, ManagerToken>;
  /** When rejected connections were last recorded, ISO 8601; null: never. */
  rejectionsAt: string | null;
  epoch: LogEpoch;
}

/** An agent that has been heard. It is told what to run only once approved into a zone. */
export interface Enrolment {
  readonly agentId: string;
  readonly hostname: string;
  readonly simulated: boolean;
  /** Null until approved. */
  readonly zone: string | null;
  /** The name of its approval; null until approved. */
  readonly approval: string | null;
  /** Of its own secret; null: it has none, or none was told. */
  readonly fingerprint: string | null;
  /** ISO 8601; null: not. A revoked one is listed until it is removed, and is never approved again. */
  readonly revokedAt: string | null;
}

/** At most this many agents wait for approval; further ones are not recorded until some are dealt with. */
export const PENDING_LIMIT = 100;

export function isPending({ zone, revokedAt }: Enrolment): boolean {
  return zone === null && revokedAt === null;
}

export function initialFleet(): FleetState {
  return {
    zones: new Set(),
    images: new Map(),
    revisions: new Map(),
    agents: new Map(),
    people: new Map(),
    peopleEver: 0,
    keys: new Map(),
    managerTokens: new Map(),
    rejectionsAt: null,
    epoch: firstEpoch(),
  };
}
