/** Everything that commands print. Tables are for people; `--json` is for scripts and is the gateway's answer itself. */

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Columns as wide as their widest cell, two spaces between; what is empty is a dash. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows].map((row) => row.map((cell) => (cell === '' ? '-' : cell)));
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
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${value === '' ? '-' : value}`).join('\n');
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
