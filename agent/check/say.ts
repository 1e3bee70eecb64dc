import type { Finding, Level } from './finding.ts';
import type { HostCheck } from './host.ts';

const SIGNS: Readonly<Record<Level, string>> = { ok: '✔ ok', warning: '! warning', wrong: '✘ wrong' };
const SIGN_WIDTH = '! warning'.length;

/** One line for each finding, and how it stands altogether. */
export function inWords(host: string, { findings }: HostCheck): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.map(
    ({ check, level, text, mend }) =>
      `${SIGNS[level].padEnd(SIGN_WIDTH)}  ${check.padEnd(width)}  ${text}${mend === null ? '' : ` → ${mend}`}`,
  );
  return [...lines, '', `${host}: ${summary(findings)}`].join('\n');
}

/** The answer for scripts. */
export function inJson(host: string, { agentId, zone, findings }: HostCheck): string {
  return JSON.stringify({ host, agentId, zone, ok: !findings.some(isWrong), findings }, null, 2);
}

export function isWrong(finding: Finding): boolean {
  return finding.level === 'wrong';
}

function summary(findings: readonly Finding[]): string {
  const wrongs = findings.filter(isWrong).length;
  const warnings = findings.filter(({ level }) => level === 'warning').length;
  const noted = warnings === 0 ? '' : warnings === 1 ? ', 1 warning' : `, ${warnings} warnings`;
  if (wrongs === 0) return `ready for sessions${noted}`;
  return `${wrongs === 1 ? '1 thing keeps' : `${wrongs} things keep`} sessions from running here${noted}`;
}
