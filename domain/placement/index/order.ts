import { Column } from './agentRow.ts';

/**
 * Where an agent stands among the others: those of like hardware side by side, and among them those of like allocation,
 * so that a node of the tree says much about every agent below it. The order decides only how soon a search is over, never
 * what it finds.
 *
 * One number of 43 bits: devices, cores and memory (in half powers of two), then the allocated shares of cores, memory and
 * devices, their bits in turn, the highest first: near in all three is near in the order.
 */
export function orderOf(row: Float64Array): number {
  const hardware = [
    Math.min(63, row[Column.gpus] ?? 0),
    halfPowers(row[Column.millicores] ?? 0, 64),
    halfPowers(row[Column.memory] ?? 0, 128),
  ] as const;
  const place = (hardware[0] * 64 + hardware[1]) * 128 + hardware[2];
  return place * LEVELS ** 3 + inTurn(Column.leastMillicoresShare, Column.leastMemoryShare, Column.leastGpuShare);

  function inTurn(...columns: readonly number[]): number {
    const levels = columns.map((column) => Math.min(LEVELS - 1, Math.floor(-(row[column] ?? 0) * LEVELS)));
    let bits = 0;
    for (let bit = LEVELS / 2; bit >= 1; bit /= 2) {
      for (const level of levels) bits = bits * 2 + (Math.floor(level / bit) % 2);
    }
    return bits;
  }
}

const LEVELS = 256;

function halfPowers(amount: number, below: number): number {
  return Math.min(below - 1, Math.max(0, Math.round(2 * Math.log2(Math.max(1, amount)))));
}
