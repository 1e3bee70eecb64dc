import { z } from 'zod';
import type { At } from '../decision.ts';

const DIGITS = 12;

/**
 * Names one approval of an agent, and so the membership that began with it, in any log: time and version of its commit in the fleet's
 * log. As text, later ones stand behind earlier ones. The time is first, since after an older backup versions count again; the
 * version tells approvals of one time apart, as they are while a clock that was ahead is caught up with.
 */
export const approval = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z\/\d{12}$/, 'not the name of an approval');

export function approvalAt({ time, version }: At): string {
  return `${time}/${String(version).padStart(DIGITS, '0')}`;
}
