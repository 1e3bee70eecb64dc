import { z } from 'zod';
import type { ManagerToken } from '../../../domain/managerTokens/state.ts';
import * as s from '../../../domain/schemas.ts';
import { isoTime } from '../../../infra/clock.ts';
import type { Edge } from '../edge.ts';

export interface ManagerTokenRow extends ManagerToken {
  readonly lastUsedAt: string | null;
}

export const managerTokenRow: z.ZodType<ManagerTokenRow> = z
  .object({
    tokenId: z.string(),
    fingerprint: z.string().describe('the first 16 hex digits of the SHA-256 of its secret'),
    issuedAt: s.time,
    lastUsedAt: s.time.nullable().describe('to the minute, on this gateway since it started'),
  })
  .meta({ id: 'ManagerToken' });

export function rowOfToken({ access }: Edge, token: ManagerToken): ManagerTokenRow {
  const lastUsed = access.managerTokens.lastUsedAt(token.tokenId);
  return { ...token, lastUsedAt: lastUsed === null ? null : isoTime(lastUsed) };
}
