import type { EndCause } from '../endCauses.ts';
import type { ImageNeeds } from '../images/image.ts';
import type { Claim } from '../schemas.ts';

/** A session that is waiting or holds a claim. Ended, refused and cancelled ones leave the state. */
export type SessionState = WaitingSession | HeldSession;

interface Request {
  readonly sessionId: string;
  readonly image: ImageNeeds;
  readonly priority: number;
  /** Log order among requests. */
  readonly order: number;
  readonly pinnedAgentId: string | null;
}

export interface WaitingSession extends Request {
  readonly phase: 'waiting';
  /** The version that put it into the line. */
  readonly since: number;
  /** ISO time after which it is cancelled with WAIT_TIMEOUT, or null to wait for ever. */
  readonly waitUntil: string | null;
}

/**
 * Placed and everything after, until evidence that its container is gone. `withdrawn` is set once the log no longer
 * wants it: at which version, and why.
 */
export interface HeldSession extends Request {
  readonly phase: 'placed' | 'starting' | 'running' | 'stopping';
  readonly agentId: string;
  readonly claim: Claim;
  readonly withdrawn: { readonly version: number; readonly cause: EndCause; readonly exitCode: number | null } | null;
}
