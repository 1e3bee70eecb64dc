import type { KeyRow, PersonRow, TokenRow } from '../data/gateway.ts';
import { NOON, secondsBefore } from './fixtures.ts';

/** Invented people and keys for the gallery and for tests of the page. */

const HOUR_S = 3600;
const DAY_S = 86_400;

export function personRow(change: Partial<PersonRow> = {}): PersonRow {
  return {
    personId: 'anna',
    name: 'Anna Smith',
    role: 'operator',
    createdAt: secondsBefore(40 * DAY_S),
    hasPassword: true,
    linkUntil: null,
    lockedUntil: null,
    browserSessions: 2,
    seenAt: secondsBefore(240),
    ...change,
  };
}

export function keyRow(change: Partial<KeyRow> = {}): KeyRow {
  return {
    keyId: 'k3fwq2m7xa4b',
    name: 'nightly jobs',
    role: 'operator',
    expiresAt: secondsBefore(-60 * DAY_S),
    fingerprint: '9f86d081884c7d65',
    issuedAt: secondsBefore(30 * DAY_S),
    expired: false,
    lastUsedAt: secondsBefore(5 * 60),
    ...change,
  };
}

/** One of every kind that a list may hold, and names of all lengths. */
export function everyPerson(now: number = NOON): readonly PersonRow[] {
  const before = (seconds: number): string => secondsBefore(seconds, now);
  const nowhere = { browserSessions: 0, seenAt: null };
  return [
    personRow({ personId: 'admin-anna', name: 'Anna Smith', role: 'admin', seenAt: before(20) }),
    personRow({ personId: 'ben', name: 'Ben Ng', browserSessions: 1, seenAt: before(5 * HOUR_S) }),
    personRow({ personId: 'chi', name: 'Chi', ...nowhere, hasPassword: false, linkUntil: before(-23 * HOUR_S) }),
    personRow({ personId: 'dora', name: 'Dora Maar', role: 'viewer', ...nowhere, hasPassword: false }),
    personRow({ personId: 'eve', name: 'Eve', seenAt: before(DAY_S), lockedUntil: before(-90) }),
    personRow({ personId: 'farid', name: 'Farid', ...nowhere, linkUntil: before(-3 * HOUR_S) }),
    personRow({
      personId: 'a-person-with-a-rather-long-account_of-all-that-may-be-in-one-64',
      name: 'Wolfeschlegelsteinhausenbergerdorff the Younger, of the department for names that are long',
      role: 'viewer',
      ...nowhere,
    }),
  ];
}

export function everyKey(now: number = NOON): readonly KeyRow[] {
  const before = (seconds: number): string => secondsBefore(seconds, now);
  return [
    keyRow({ expiresAt: before(-60 * DAY_S), issuedAt: before(30 * DAY_S), lastUsedAt: before(5 * 60) }),
    keyRow({
      keyId: 'b5c2d7e4f3a6',
      name: 'dashboard on the wall',
      role: 'viewer',
      expiresAt: null,
      fingerprint: '60303ae22b998861',
      issuedAt: before(200 * DAY_S),
      lastUsedAt: before(60),
    }),
    keyRow({
      keyId: 'q7w2e5r4t3y6',
      name: 'migration',
      role: 'admin',
      expiresAt: before(-2 * DAY_S),
      fingerprint: 'fd61a03af4f77d87',
      issuedAt: before(5 * DAY_S),
      lastUsedAt: null,
    }),
    keyRow({
      keyId: 'z2x3c4v5b6n7',
      name: 'a-pipeline-with-a-name-as-long-as-somebody-may-have-made-it-in-a-script-of-theirs',
      expiresAt: before(3 * DAY_S),
      fingerprint: 'a4e624d686e03ed2',
      issuedAt: before(93 * DAY_S),
      expired: true,
      lastUsedAt: before(4 * DAY_S),
    }),
  ];
}

export function tokenRow(change: Partial<TokenRow> = {}): TokenRow {
  return {
    tokenId: 'm4t2k7q3w5zb',
    fingerprint: '2c26b46b68ffc68f',
    issuedAt: secondsBefore(10 * DAY_S),
    lastUsedAt: secondsBefore(120),
    ...change,
  };
}

export function everyToken(now: number = NOON): readonly TokenRow[] {
  return [
    tokenRow({ issuedAt: secondsBefore(3600, now), lastUsedAt: null }),
    tokenRow({
      tokenId: 'x6c4v2b7n5m3',
      fingerprint: 'fcde2b2edba56bf4',
      issuedAt: secondsBefore(120 * DAY_S, now),
      lastUsedAt: secondsBefore(120, now),
    }),
  ];
}
