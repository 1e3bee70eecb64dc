import { plainText } from '../../domain/plainText.ts';

/**
 * Everything that commands print. Tables are for people; `--json` is for scripts and is the gateway's answer itself. Much of it
 * is what agents, images and people are called, who may call themselves anything: none of it reaches a terminal as a command.
 */

export function print(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}

/** To standard error. */
export function complain(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}

export function printJson(value: unknown, indent = 2): void {
  process.stdout.write(`${jsonText(value, indent)}\n`);
}

/** The lines of a text as a terminal may be shown them. */
export function printable(text: string): string {
  return text.split('\n').map(plainText).join('\n');
}

/** JSON escapes only some of what a terminal acts on; the others as well, which means the same. */
export function jsonText(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replaceAll(ACTED_ON, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

const ACTED_ON = /[\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g;

/** Columns as wide as their widest cell, two spaces between; what is empty is a dash. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows].map((row) => row.map(cellText));
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `name  value` lines, aligned. */
export function facts(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${cellText(value)}`).join('\n');
}

/** On one line: what goes on in the next might look like another row. */
function cellText(text: string): string {
  const plain = plainText(text.replaceAll(/[\r\n]+/g, ' '));
  return plain === '' ? '-' : plain;
}

/** `4 s`, `3 min`, `2 h`, `5 d`. */
export function age(iso: string | null, nowMs: number): string {
  if (iso === null) return '';
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(iso)) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Of what is known to the minute only: `just now`, `3 min ago`. */
export function aboutAgo(iso: string | null, nowMs: number): string {
  if (iso === null) return '';
  return nowMs - Date.parse(iso) < 120_000 ? 'just now' : `${age(iso, nowMs)} ago`;
}

export interface JsonOption {
  readonly json?: boolean;
}

export interface ReasonOption {
  readonly reason?: string;
}

/** A body with the reason when there is one. */
export function withReason(options: ReasonOption, body: object = {}): object {
  return options.reason === undefined ? body : { ...body, reason: options.reason };
}
