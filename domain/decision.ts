/**
 * What a decider answers. `accepted` with no facts means that the wish was already true. `outcome` is recorded with the
 * command, so that a repeated key gets the same answer; `detail` is for this answer only and never stored.
 */
export type Decision<Fact> =
  | { readonly kind: 'accepted'; readonly facts: readonly Fact[]; readonly outcome: Outcome; readonly detail?: unknown }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

export type Outcome = { readonly [key: string]: string | number | boolean | null };

/** Every code with which a command can be refused. Stable: clients match on it. */
export const REJECTION_CODES = {
  AGENT_UNKNOWN: 'not-found',
  AGENT_NOT_APPROVED: 'conflict',
  AGENT_ALREADY_APPROVED: 'conflict',
  AGENT_NOT_MISSING: 'conflict',
  AGENT_REVOKED: 'conflict',
  AGENT_SECRET_WRONG: 'conflict',
  AGENT_NOT_REVOKED: 'conflict',
  AGENT_HAS_SESSIONS: 'conflict',
  FINGERPRINT_DIFFERS: 'conflict',
  PENDING_FULL: 'conflict',
  IMAGE_UNKNOWN: 'not-found',
  ZONE_UNKNOWN: 'not-found',
  SESSION_UNKNOWN: 'not-found',
  SESSION_EXISTS: 'conflict',
  LOG_JUST_SEALED: 'conflict',
  PERSON_EXISTS: 'conflict',
  PERSON_UNKNOWN: 'not-found',
  LAST_ADMIN: 'conflict',
  PEOPLE_FULL: 'conflict',
  NAME_IS_ADDRESS: 'invalid',
  KEY_EXISTS: 'conflict',
  KEY_UNKNOWN: 'not-found',
  KEYS_FULL: 'conflict',
  EXPIRY_PAST: 'invalid',
  MANAGER_TOKEN_EXISTS: 'conflict',
  MANAGER_TOKEN_UNKNOWN: 'not-found',
  MANAGER_TOKEN_LAST: 'conflict',
  MANAGER_TOKENS_FULL: 'conflict',
  TOO_SOON: 'busy',
  LINE_FULL: 'busy',
  CONFIRM_NEEDED: 'conflict',
  STALE: 'stale',
  KEY_REUSED: 'conflict',
  ENVIRONMENT_LOOKS_SECRET: 'invalid',
  REFERENCE_INVALID: 'invalid',
  REGISTRY_NOT_ALLOWED: 'invalid',
} as const satisfies Record<string, RejectionKind>;

export type RejectionCode = keyof typeof REJECTION_CODES;
export type RejectionKind = 'invalid' | 'not-found' | 'conflict' | 'stale' | 'busy';

export interface Rejection {
  readonly code: RejectionCode;
  readonly message: string;
  readonly numbers?: Readonly<Record<string, number>>;
}

export function accept<Fact>(facts: readonly Fact[], outcome: Outcome, detail?: unknown): Decision<Fact> {
  return { kind: 'accepted', facts, outcome, detail };
}

export function reject<Fact>(
  code: RejectionCode,
  message: string,
  numbers?: Readonly<Record<string, number>>,
): Decision<Fact> {
  return { kind: 'rejected', rejection: { code, message, ...(numbers === undefined ? {} : { numbers }) } };
}

/** Where an event stands in its log, and when it happened: what `evolve` may know besides the event. */
export interface At {
  readonly version: number;
  readonly time: string;
}
