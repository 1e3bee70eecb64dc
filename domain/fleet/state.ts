import type { ImageDefinition } from '../images/image.ts';
import { firstEpoch, type LogEpoch } from '../logs/seal.ts';

/** What is fleet-wide: images, zones, and who may join. Owned and mutated by the fold that made it, like a zone's state. */
export interface FleetState {
  readonly zones: Set<string>;
  readonly images: Map<string, ImageDefinition>;
  /** The last revision of every image id ever defined, so that a retired id starts again above it. */
  readonly revisions: Map<string, number>;
  readonly agents: Map<string, Enrolment>;
  epoch: LogEpoch;
}

/** An agent that has been heard. It is told what to run only once approved into a zone. */
export interface Enrolment {
  readonly agentId: string;
  readonly hostname: string;
  readonly simulated: boolean;
  /** Null while pending. */
  readonly zone: string | null;
}

/** At most this many agents wait for approval; further ones are not recorded until some are dealt with. */
export const PENDING_LIMIT = 100;

export function initialFleet(): FleetState {
  return { zones: new Set(), images: new Map(), revisions: new Map(), agents: new Map(), epoch: firstEpoch() };
}
