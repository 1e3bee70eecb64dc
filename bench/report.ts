/** One comparison: Muster's figure, the raw limit measured beside it, and their ratio (Muster / raw); null: there is none. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly muster: number;
  readonly raw: number | null;
  readonly ratio: number | null;
}

/** What one measurement found; `notes` say under which circumstances. */
export interface Report {
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
}

export function row(what: string, unit: string, muster: number, raw: number | null): Row {
  return { what, unit, muster, raw, ratio: raw === null ? null : muster / raw };
}

/** The value below which `share` (0..1) of the samples lie; the samples need not be sorted. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/** The rows in columns, then the notes. */
export function tableOf(machine: string, { rows, notes }: Report): string {
  const lines = rows.map(({ what, unit, muster, raw, ratio }) => [
    what,
    `${number(muster)} ${unit}`,
    raw === null ? '' : `${number(raw)} ${unit}`,
    ratio === null ? '' : ratio.toFixed(2),
  ]);
  const table = [['', 'Muster', 'raw', 'ratio'], ...lines];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  const aligned = table.map((cells) => {
    const padded = cells.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    return padded.join('  ').trimEnd();
  });
  const said = notes.map((note) => `- ${note}`);
  return `${[machine, '', ...aligned, ...(said.length === 0 ? [] : ['', ...said])].join('\n')}\n`;
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
}
