import type { Finding } from '../../agent/check/finding.ts';
import type { Look } from '../../agent/check/probe.ts';

export function seen<Facts>(facts: Facts): Look<Facts> {
  return { kind: 'seen', facts };
}

/** What a look fails with when the system says this. */
export function failed(code: string, message = code): Look<never> {
  const cause = Object.assign(new Error(message), { code });
  return { kind: 'failed', error: new Error(`it failed: ${message}`, { cause }) };
}

export const late: Look<never> = { kind: 'late', limitMs: 3000 };

/** `wrong engine: what → how`, one line each, as an operator reads them. */
export function told(findings: readonly Finding[] | Finding): string {
  return [findings]
    .flat()
    .map(({ level, check, text, mend }) => `${level} ${check}: ${text}${mend === null ? '' : ` → ${mend}`}`)
    .join('\n');
}
