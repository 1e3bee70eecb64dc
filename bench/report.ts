/** One comparison: Muster's figure, the raw limit measured beside it, and their ratio (Muster / raw). */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly muster: number;
  readonly raw: number;
  readonly ratio: number;
}

export function row(what: string, unit: string, muster: number, raw: number): Row {
  return { what, unit, muster, raw, ratio: muster / raw };
}

/** The value below which `share` (0..1) of the samples lie; the samples need not be sorted. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

export function printTable(machine: string, rows: readonly Row[]): void {
  const lines = rows.map(({ what, unit, muster, raw, ratio }) => [
    what,
    `${number(muster)} ${unit}`,
    `${number(raw)} ${unit}`,
    ratio.toFixed(2),
  ]);
  const table = [['', 'Muster', 'raw', 'ratio'], ...lines];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  process.stdout.write(`${machine}\n\n`);
  for (const cells of table) {
    const padded = cells.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    process.stdout.write(`${padded.join('  ')}\n`);
  }
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
}
