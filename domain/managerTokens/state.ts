/** What an agent must show to speak on the bus at all. `issuedAt` is ISO 8601; it is good until it is revoked. */
export interface ManagerToken {
  readonly tokenId: string;
  readonly fingerprint: string;
  readonly issuedAt: string;
}

/** At most this many are live at a time: a rotation needs two, and each is one more that can be stolen. */
export const MANAGER_TOKENS_LIMIT = 8;
